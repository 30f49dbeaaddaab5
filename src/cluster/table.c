#include "config.h"

#include "cluster/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* Beyond twice N: workers that leave slowly while their successors leave, too. */
#define LEAVERS_SPARE 16

int table_new(struct master *master)
{
    size_t n = 2 * (size_t)master->workers + LEAVERS_SPARE;
    master->slots = calloc(n, sizeof *master->slots);
    if (master->slots == NULL)
        return -ENOMEM;
    master->n_slots = n;
    for (size_t i = 0; i < n; i++) {
        master->slots[i].master = master;
        master->slots[i].deadline_ms = INT64_MAX;
    }
    return scoreboard_new(n, &master->scoreboard);
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
    struct slot *free_slot = NULL;
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->number == number && !slot->leaving)
            return slot;
        if (slot->number == 0 && free_slot == NULL)
            free_slot = slot;
    }
    return free_slot;
}

struct slot *table_oldest_leaver(struct master *master)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->leaving && slot->state == SLOT_DRAINING &&
            (oldest == NULL || slot->worker < oldest->worker))
            oldest = slot;
    }
    return oldest;
}
