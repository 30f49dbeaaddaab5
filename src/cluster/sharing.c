#include "config.h"

#include "cluster/sharing.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/strength.h"
#include "cluster/succession.h"
#include "cluster/table.h"

static bool is_any_held(const struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].held)
            return true;
    return false;
}

/* Who has all sockets, those of the slots that are held included: the first other; 0: nobody. */
static unsigned find_heir(struct master *master)
{
    unsigned heir = 0;
    bool is_needed = false;
    if (!is_any_held(master))
        return 0;
    for (unsigned number = master->workers; number > 0; number--) {
        const struct slot *holder = table_holder(master, number);
        bool is_held = holder != NULL && holder->held;
        is_needed |= is_held;
        heir = is_held ? heir : number;
    }
    return is_needed ? heir : 0;
}

static struct share find_share(struct master *master, unsigned number)
{
    return (struct share){number, find_heir(master) == number ? 1 : master->workers};
}

struct share sharing_share(const struct slot *slot)
{
    const struct reload *reload = &slot->master->reload;
    if (slot->candidate && reload->next != NULL)
        return (struct share){slot->number, reload->workers};
    return find_share(slot->master, slot->number);
}

static bool lacks_socket(const struct slot *slot)
{
    struct master *master = slot->master;
    if (slot->state != SLOT_STARTING && slot->state != SLOT_SERVING)
        return false; /* its successor will have what it needs */
    return listeners_lack(master->current->listeners[PURPOSE_CLIENTS],
                          find_share(master, slot->number), slot->share, slot->worker);
}

/* The first who lacks a socket, or NULL. */
static struct slot *find_needy(struct master *master)
{
    for (unsigned number = 1; number <= master->workers; number++) {
        struct slot *holder = table_holder(master, number);
        if (holder != NULL && lacks_socket(holder))
            return holder;
    }
    return NULL;
}

void sharing_change(struct master *master)
{
    master->shares_changed = true;
}

static void prepare_successor(struct master *master, const struct slot *needy, int64_t now_ms)
{
    if (now_ms < master->recycle_ms || table_has_candidate(master))
        return;
    succession_prepare(master, needy->number, now_ms);
    const struct log_field who = LOG_NUMBER("worker", needy->worker);
    if (table_candidate(master, needy->number) != NULL)
        log_write(LOG_LEVEL_INFO, &who, 1,
                  "worker %" PRIu64 " gets a successor: sockets of others fall to its slot",
                  needy->worker);
}

void sharing_step(struct master *master, int64_t now_ms)
{
    if (!master->shares_changed)
        return;
    const struct slot *needy = find_needy(master);
    if (needy != NULL) {
        prepare_successor(master, needy, now_ms);
        return;
    }
    master->shares_changed = false;
    strength_retire_surplus(master, now_ms);
}
