#include "config.h"

#include "cluster/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* For each number a holder, a candidate and a leaver; and some more that leave slowly. */
#define LEAVERS_SPARE 16
#define PLACES        (3 * CONF_WORKERS_MAX + LEAVERS_SPARE)

static int allocate(struct master *master)
{
    master->slots = calloc(PLACES, sizeof *master->slots);
    return master->slots != NULL ? 0 : -ENOMEM;
}

int table_new(struct master *master)
{
    int err = allocate(master);
    return err != 0 ? err : scoreboard_new(PLACES, &master->scoreboard);
}

static struct slot *add_place(struct master *master)
{
    struct slot *slot = &master->slots[master->n_slots++];
    slot->master = master;
    slot->deadline_ms = INT64_MAX;
    return slot;
}

int table_adopt(struct master *master, int scoreboard_fd, size_t n)
{
    int err = allocate(master);
    while (err == 0 && master->n_slots < n)
        add_place(master);
    return err != 0 ? err : scoreboard_adopt(scoreboard_fd, PLACES, &master->scoreboard);
}

size_t table_size(void)
{
    return PLACES;
}

void table_free(struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        channel_free(master->slots[i].channel);
    free(master->slots);
    scoreboard_free(master->scoreboard);
}

struct scoreboard_slot *slot_board(const struct slot *slot)
{
    const struct master *master = slot->master;
    return scoreboard_at(master->scoreboard, (size_t)(slot - master->slots));
}

void slot_show(const struct slot *slot)
{
    struct scoreboard_place place = {
        .state = slot->state,
        .number = slot->number,
        .worker = slot->worker,
        .pid = slot->pid,
        .started_ms = slot->started_ms,
    };
    scoreboard_set_place(slot_board(slot), &place);
}

void slot_step(struct slot *slot, enum slot_event event)
{
    if (slot_next(slot->state, event, &slot->state) != 0)
        log_error("slot %u: event %d makes no sense in state %s, ignored", slot->number, (int)event,
                  slot_state_name(slot->state));
    if (!slot_is_alive(slot->state))
        slot->pid = 0;
    slot_show(slot);
}

void slot_release(struct slot *slot)
{
    slot->number = 0;
    slot->leaving = false;
    slot->candidate = false;
    slot->recycled = false;
    slot->retired = false;
    slot->crashed = false;
    slot->held = false;
    slot->failed_boots = 0;
    slot->deadline_ms = INT64_MAX;
    if (slot->state == SLOT_BACKOFF)
        slot_step(slot, SLOT_RETRY);
    else
        slot_show(slot);
}

unsigned table_count(const struct master *master, enum slot_state state)
{
    unsigned n = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        n += master->slots[i].state == state;
    return n;
}

struct slot *table_find_pid(struct master *master, pid_t pid)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].pid == pid && slot_is_alive(master->slots[i].state))
            return &master->slots[i];
    return NULL;
}

struct slot *table_holder(struct master *master, unsigned number)
{
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->number == number && !slot->leaving && !slot->candidate)
            return slot;
    }
    return NULL;
}

struct slot *table_candidate(struct master *master, unsigned number)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].number == number && master->slots[i].candidate)
            return &master->slots[i];
    return NULL;
}

/*
 * A leaver for each number, and the spare ones. Who leaves because the master
 * wants it to does not count: there are as many of those as there were workers.
 */
static size_t places_allowed(const struct master *master)
{
    size_t candidates = master->reload.next != NULL ? master->reload.workers : 1;
    return 2 * (size_t)master->workers + candidates + LEAVERS_SPARE;
}

struct slot *table_free_place(struct master *master)
{
    size_t taken = 0;
    struct slot *free_slot = NULL;
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        taken += slot->number != 0 && !slot->retired;
        if (slot->number == 0 && free_slot == NULL)
            free_slot = slot;
    }
    if (taken >= places_allowed(master))
        return NULL;
    if (free_slot != NULL)
        return free_slot;
    return master->n_slots < PLACES ? add_place(master) : NULL;
}

bool table_is_mixed(const struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (slot_is_alive(master->slots[i].state) &&
            master->slots[i].generation != master->current->number)
            return true;
    return false;
}

struct slot *table_oldest_leaver(struct master *master)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->leaving && !slot->retired && slot->state == SLOT_DRAINING &&
            (oldest == NULL || slot->worker < oldest->worker))
            oldest = slot;
    }
    return oldest;
}
