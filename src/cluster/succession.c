#include "config.h"

#include "cluster/succession.h"

#include <inttypes.h>

#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/generation.h"
#include "cluster/kill.h"
#include "cluster/master_state.h"
#include "cluster/spawn.h"
#include "cluster/table.h"
#include "conf/conf.h"

void succession_prepare(struct master *master, unsigned number, int64_t now_ms)
{
    struct slot *slot = table_candidate(master, number);
    if (slot == NULL) {
        slot = table_free_place(master);
        if (slot == NULL) {
            succession_make_room(master, now_ms);
            return;
        }
        slot->number = number;
        slot->candidate = true;
        slot->generation = spawn_generation(slot)->number;
    }
    if (slot->state == SLOT_EMPTY && !slot->remains)
        spawn_worker(slot, now_ms);
}

void succession_take_over(struct slot *candidate)
{
    candidate->candidate = false;
}

void succession_retire(struct slot *slot, const char *reason, bool take_queue, int64_t now_ms)
{
    const struct conf_instance *instance = &slot->master->conf->instance;
    const struct log_field who = LOG_NUMBER("worker", slot->worker);
    struct message message = {.type = MESSAGE_DRAIN};
    if (!slot_is_alive(slot->state)) {
        slot_release(slot);
        return;
    }
    slot->leaving = true;
    slot->retired = true;
    slot->candidate = false;
    if (slot->state != SLOT_STARTING && slot->state != SLOT_SERVING)
        return; /* it leaves already, or is being killed */
    log_write(LOG_LEVEL_INFO, &who, 1, "%s %" PRIu64 " leaves: %s", role_name(slot_role(slot)),
              slot->worker, reason);
    chronicle(slot->master, JOURNAL_LEAVING, slot, "%s", reason);
    message.drain.idle_ms = (uint32_t)instance->drain_idle_ms;
    message.drain.last = take_queue;
    slot->deliberate = true;
    int64_t deadline_ms = now_ms + instance->grace_ms;
    bool has_time = slot->state == SLOT_SERVING || deadline_ms < slot->deadline_ms;
    kill_by_message(slot, &message, has_time ? deadline_ms : slot->deadline_ms);
}

void succession_drain(struct slot *slot, int64_t now_ms)
{
    const struct conf_instance *instance = &slot->master->conf->instance;
    const struct log_field who = LOG_NUMBER("worker", slot->worker);
    struct message message = {.type = MESSAGE_DRAIN};
    log_write(LOG_LEVEL_INFO, &who, 1, "worker %" PRIu64 " leaves: its slot is drained, as ordered",
              slot->worker);
    chronicle(slot->master, JOURNAL_LEAVING, slot, "its slot is drained, as ordered");
    message.drain.idle_ms = (uint32_t)instance->drain_idle_ms;
    slot->held = true;
    slot->drained = true;
    slot->retired = true;
    slot->deliberate = true;
    kill_by_message(slot, &message, now_ms + instance->grace_ms);
}

void succession_make_room(struct master *master, int64_t now_ms)
{
    struct slot *leaver = table_oldest_leaver(master);
    if (leaver != NULL && table_count(master, SLOT_KILLED) == 0)
        kill_worker(leaver, "too many workers leave, its place is needed", now_ms);
}
