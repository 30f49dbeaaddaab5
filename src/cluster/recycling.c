#include "config.h"

#include "cluster/recycling.h"

#include <inttypes.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "cluster/recycle.h"
#include "cluster/respawn.h"
#include "cluster/strength.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "host/memory.h"
#include "ipc/scoreboard.h"

/* The one token: a successor that boots, or a worker that leaves for one. */
static bool is_taken(const struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++) {
        const struct slot *slot = &master->slots[i];
        if (slot->candidate || slot->recycled)
            return true;
    }
    return false;
}

/* A slot that is held back is no reason to let the others grow. */
static bool is_at_full_strength(struct master *master)
{
    for (unsigned number = 1; number <= master->workers; number++) {
        const struct slot *holder = table_holder(master, number);
        if (holder == NULL || (holder->state != SLOT_SERVING && !holder->held))
            return false;
    }
    return true;
}

static const char *find_reason(const struct slot *slot, int64_t now_ms)
{
    const struct master *master = slot->master;
    const struct conf_instance *instance = &master->conf->instance;
    const struct recycle_limits limits = {instance->max_requests, instance->max_memory,
                                          instance->max_age_ms};
    const struct recycle_facts facts = {
        .number = slot->number,
        .workers = master->workers,
        .requests = scoreboard_requests(slot_board(slot)),
        .memory_bytes = limits.max_memory_bytes > 0 ? memory_resident_bytes(slot->pid) : -1,
        .age_ms = now_ms - slot->ready_ms,
    };
    return recycle_reason(&limits, &facts);
}

/* In turn, or one that is always due would keep the others from theirs. */
void recycling_look(struct master *master, int64_t now_ms)
{
    if (now_ms < master->recycle_ms || is_taken(master) || !is_at_full_strength(master))
        return;
    for (unsigned i = 0; i < master->workers; i++) {
        unsigned number = (master->recycled_last + i) % master->workers + 1;
        struct slot *holder = table_holder(master, number);
        const char *reason = holder->held ? NULL : find_reason(holder, now_ms);
        if (reason == NULL)
            continue;
        const struct log_field who = LOG_NUMBER("worker", holder->worker);
        log_write(LOG_LEVEL_INFO, &who, 1, "worker %" PRIu64 " is to be recycled: %s",
                  holder->worker, reason);
        succession_prepare(master, number, now_ms);
        if (table_candidate(master, number) != NULL)
            master->recycled_last = number;
        return;
    }
}

void recycling_step(struct master *master, int64_t now_ms)
{
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *candidate = &master->slots[i];
        if (!candidate->candidate || candidate->state != SLOT_SERVING)
            continue;
        struct slot *holder = table_holder(master, candidate->number);
        if (holder != NULL) {
            holder->recycled = true;
            succession_retire(holder, "its successor serves", false, now_ms);
        }
        succession_take_over(candidate);
        master->recycle_failures = 0;
    }
}

int64_t recycling_postpone(struct master *master, int64_t now_ms)
{
    const struct respawn_limits limits = strength_respawn_limits(&master->conf->instance);
    int64_t wait_ms = respawn_backoff_ms(&limits, ++master->recycle_failures, 0.5);
    master->recycle_ms = now_ms + wait_ms;
    return wait_ms;
}
