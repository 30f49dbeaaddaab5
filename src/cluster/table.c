#include "config.h"

#include "cluster/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* For each number a holder, a candidate and a leaver; and some more that leave slowly. In all as
 * many as ever, since a program that takes over finds the scoreboard made for that. */
#define LEAVERS_SPARE (13 + 3 * (ROLES - 1))
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

enum role slot_role(const struct slot *slot)
{
    return role_of(slot->number);
}

struct log_field slot_field(const struct slot *slot)
{
    enum role role = slot_role(slot);
    if (role == ROLE_WORKER)
        return (struct log_field)LOG_NUMBER("slot", slot->number);
    return (struct log_field)LOG_TEXT("slot", role_name(role));
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
    if (slot->number != 0 && !slot->leaving && !slot->candidate)
        tally_forget(slot->master->tallies, slot->number);
    slot->number = 0;
    slot->leaving = false;
    slot->candidate = false;
    slot->recycled = false;
    slot->retired = false;
    slot->crashed = false;
    slot->held = false;
    slot->drained = false;
    slot->failed_boots = 0;
    slot->deadline_ms = INT64_MAX;
    if (slot->state == SLOT_BACKOFF)
        slot_step(slot, SLOT_RETRY);
    else
        slot_show(slot);
}

void table_set_log_level(struct master *master, enum log_level level)
{
    const struct message message = {.type = MESSAGE_LOG_LEVEL, .log_level.level = (uint8_t)level};
    master->ordered_level = (int)level;
    log_set_level(level);
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        const struct log_field who = LOG_NUMBER("worker", slot->worker);
        int err = slot->channel != NULL ? channel_send(slot->channel, &message) : 0;
        if (err != 0 && err != -EPIPE)
            log_write(LOG_LEVEL_WARNING, &who, 1, "%s %" PRIu64 " keeps its log level: %s",
                      role_name(slot_role(slot)), slot->worker, strerror(-err));
    }
}

unsigned table_count(const struct master *master, enum slot_state state)
{
    unsigned n = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        n += master->slots[i].state == state && slot_role(&master->slots[i]) == ROLE_WORKER;
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

bool table_has_candidate(const struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].candidate)
            return true;
    return false;
}

unsigned table_count_alive(const struct master *master)
{
    unsigned n = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        n += slot_is_alive(master->slots[i].state);
    return n;
}

unsigned table_count_workers(const struct master *master)
{
    unsigned n = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        n += slot_is_alive(master->slots[i].state) && slot_role(&master->slots[i]) == ROLE_WORKER;
    return n;
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
        if (slot->number == 0 && !slot->remains && free_slot == NULL)
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
