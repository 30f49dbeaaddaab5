#include "config.h"

#include "cluster/stop.h"

#include <sys/wait.h>

#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/generation.h"
#include "cluster/kill.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "cluster/upgrade.h"
#include "conf/conf.h"
#include "discovery/discovery.h"
#include "host/notify.h"
#include "ipc/scoreboard.h"

/* How long a worker has to leave at once, before it is killed. */
#define FAST_MS 1000

static void tell(struct slot *slot, const struct message *message, int64_t deadline_ms)
{
    if (slot->state == SLOT_BACKOFF) {
        slot->deadline_ms = INT64_MAX;
        slot_step(slot, SLOT_RETRY);
    } else if (slot_is_alive(slot->state) && slot->state != SLOT_KILLED) {
        kill_by_message(slot, message, deadline_ms);
    }
}

static void tell_all(struct master *master, enum role role, const struct message *message,
                     int64_t deadline_ms)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (slot_role(&master->slots[i]) == role)
            tell(&master->slots[i], message, deadline_ms);
}

/* A registry hears of it before the workers stop accepting, and for a while only. */
static void tell_herald(struct master *master, const struct message *message, int64_t now_ms)
{
    int64_t limit_ms = master->conf->registry.deregister_timeout_ms + FAST_MS;
    if (discovery_is_wanted(master->conf))
        tell_all(master, ROLE_HERALD, message, now_ms + limit_ms);
}

static void stop_gracefully(struct master *master, bool unhurried, int64_t now_ms)
{
    const struct conf_instance *instance = &master->conf->instance;
    struct message message = {.type = MESSAGE_DRAIN};
    message.drain.delay_ms = (uint32_t)instance->drain_delay_ms;
    message.drain.idle_ms = (uint32_t)instance->drain_idle_ms;
    message.drain.last = 1;
    message.drain.stopping = 1;
    log_info("stopping: the workers finish what they have%s",
             unhurried ? ", however long it takes" : "");
    int64_t deadline_ms = now_ms + instance->drain_delay_ms + instance->grace_ms;
    tell_all(master, ROLE_WORKER, &message, unhurried ? INT64_MAX : deadline_ms);
    tell_herald(master, &message, now_ms);
}

/* Workers that are told to drop their connections close them: afterwards nobody can count. */
static uint64_t count_connections(const struct master *master)
{
    struct scoreboard_work work;
    uint64_t n = 0;
    for (size_t i = 0; i < master->n_slots; i++) {
        const struct slot *slot = &master->slots[i];
        if (!slot_is_alive(slot->state) || slot_role(slot) != ROLE_WORKER)
            continue;
        scoreboard_read_work(slot_board(slot), &work);
        n += work.connections;
    }
    return n;
}

static void stop_fast(struct master *master, int64_t now_ms)
{
    struct message message = {.type = MESSAGE_STOP};
    master->toll.connections += count_connections(master);
    log_info("stopping at once: the workers drop what they have");
    tell_all(master, ROLE_WORKER, &message, now_ms + FAST_MS);
    message = (struct message){.type = MESSAGE_DRAIN, .drain = {.last = 1, .stopping = 1}};
    tell_herald(master, &message, now_ms);
}

/* A signal that asks for a stop again asks for a faster one. */
static enum master_phase wanted_phase(const struct master *master, unsigned wants)
{
    if ((wants & WANT_STOP_FAST) != 0)
        return MASTER_STOPPING_FAST;
    if ((wants & WANT_STOP) != 0)
        return master->phase < MASTER_STOPPING ? MASTER_STOPPING : MASTER_STOPPING_FAST;
    return (wants & WANT_STOP_UNHURRIED) != 0 ? MASTER_STOPPING_UNHURRIED : MASTER_RUNNING;
}

/*
 * The master's own copies of the listening sockets go first: when the last
 * worker has taken what is queued and closes its copy, the address is free,
 * and no client waits in a queue that nobody reads.
 */
void stop_begin(struct master *master, unsigned wants, int64_t now_ms)
{
    enum master_phase phase = wanted_phase(master, wants);
    if (phase <= master->phase)
        return;
    master->phase = phase;
    notify_send("STOPPING=1\nSTATUS=Stopping");
    chronicle(master, JOURNAL_STOP, NULL, "%s",
              phase == MASTER_STOPPING_FAST ? "at once" : "the workers finish what they have");
    upgrade_cancel(master);
    listeners_close(master->current->listeners[PURPOSE_CLIENTS]);
    if (master->reload.next != NULL)
        listeners_close(master->reload.next->listeners[PURPOSE_CLIENTS]);
    if (phase == MASTER_STOPPING_FAST)
        stop_fast(master, now_ms);
    else
        stop_gracefully(master, phase == MASTER_STOPPING_UNHURRIED, now_ms);
}

void stop_step(struct master *master, int64_t now_ms)
{
    const struct message message = {.type = MESSAGE_STOP};
    if (table_count_workers(master) > 0)
        return;
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot_role(slot) != ROLE_WORKER && slot->state != SLOT_DRAINING)
            tell(slot, &message, now_ms + FAST_MS);
    }
}

void stop_count(const struct slot *slot, const struct death *death)
{
    struct master *master = slot->master;
    if (master->phase == MASTER_RUNNING || slot_role(slot) != ROLE_WORKER)
        return;
    master->toll.killed += WIFSIGNALED((int)death->wait_status) && death->killed_for[0] != '\0';
    if (master->phase != MASTER_STOPPING_FAST)
        master->toll.connections += death->connections;
}

bool stop_is_complete(const struct master *master)
{
    /* The trial of an upgrade holds copies of the sockets and of the pid file. */
    return !upgrade_is_active(master) && table_count_alive(master) == 0;
}
