#include "config.h"

#include "cluster/strength.h"

#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/generation.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/sharing.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "host/cgroup.h"
#include "host/cpu_affinity.h"
#include "host/cpu_count.h"
#include "host/descriptors.h"
#include "host/landlock.h"
#include "host/notify.h"
#include "http/server.h"

unsigned strength_decide(const struct conf_instance *instance)
{
    struct cpu_facts facts = {.affinity = cpu_affinity_count(),
                              .quota_milli = cgroup_cpu_quota_milli("")};
    char sum[CPU_COUNT_TEXT_SIZE];
    if (instance->workers > 0) {
        log_info("%ld worker%s, as configured", instance->workers,
                 instance->workers == 1 ? "" : "s");
        return (unsigned)instance->workers;
    }
    cpu_count_describe(&facts, instance->reserve_cpus, instance->containers, sum);
    log_info("%s", sum);
    long workers = cpu_count_workers(&facts, instance->reserve_cpus, instance->containers);
    if (workers > instance->max_workers) {
        log_info("%ld workers are the most (instance.max_workers)", instance->max_workers);
        workers = instance->max_workers;
    }
    return (unsigned)workers;
}

void strength_raise_descriptors(const struct conf *conf)
{
    size_t needed = http_server_descriptors(conf);
    size_t limit = descriptors_raise(needed);
    if (limit < needed)
        log_warning("http.max_connections = %ld needs %zu descriptors a worker, the limit is %zu: "
                    "workers accept fewer connections",
                    conf->http.max_connections, needed, limit);
}

void strength_announce_sandbox(const struct conf_instance *instance)
{
    int version = instance->landlock ? landlock_version() : 0;
    if (version > 0 && instance->core_dumps)
        log_warning("landlock = yes leaves core_dumps only a core_pattern(5) with a pipe");
    if (version > 0)
        log_info("landlock %d restricts the workers: %s", version, landlock_describe(version));
    else if (version < 0)
        log_warning("instance.landlock = yes, but this kernel has no landlock: the workers run "
                    "without");
}

void strength_announce_registry(const struct conf_registry *registry)
{
    if (registry->is_exposed)
        log_warning("registry.password_file: %s can be read by others, mode 0600 would keep it",
                    registry->password_file);
}

struct respawn_limits strength_respawn_limits(const struct conf_instance *instance)
{
    return (struct respawn_limits){
        .per_second = instance->respawn_per_second,
        .per_10s = instance->respawn_per_10s,
        .backoff_min_ms = instance->backoff_min_ms,
        .backoff_max_ms = instance->backoff_max_ms,
    };
}

int strength_make_policy(const struct conf *conf, struct respawn **ret_respawn)
{
    const struct respawn_limits limits = strength_respawn_limits(&conf->instance);
    return respawn_new(&limits, ret_respawn);
}

/* Those that go may have been the only ones that serve: who was drained is wanted again. */
static void release_drained(struct master *master)
{
    for (unsigned number = 1; number <= master->workers; number++) {
        struct slot *holder = table_holder(master, number);
        if (holder == NULL || !holder->drained)
            continue;
        holder->held = false;
        holder->drained = false;
        holder->leaving = slot_is_alive(holder->state);
        log_info("slot %u is filled again, since fewer workers are wanted", number);
    }
}

/* Let it be as many; who is missing or too many follows from it. */
static void change_strength(struct master *master, unsigned workers)
{
    chronicle(master, JOURNAL_SCALE, NULL, "%u workers, %u before", workers, master->workers);
    bool rises = workers > master->workers;
    master->workers = workers;
    sharing_change(master);
    if (!rises) {
        release_drained(master);
        return;
    }
    listeners_grow(master->current->listeners[PURPOSE_CLIENTS], workers, master->last_worker);
    if (!master->degraded)
        notify_send("STATUS=Generation %u serves", master->current->number);
}

void strength_set(struct master *master, unsigned workers)
{
    if (workers == master->workers)
        return;
    log_info("%u worker%s, until the next reload", workers, workers == 1 ? "" : "s");
    change_strength(master, workers);
}

void strength_raise(struct master *master)
{
    if (master->workers >= (unsigned)master->conf->instance.max_workers) {
        log_warning("%u workers are the most (instance.max_workers)", master->workers);
        return;
    }
    log_info("one worker more: %u, until the next reload", master->workers + 1);
    change_strength(master, master->workers + 1);
}

static bool is_surplus(const struct slot *slot)
{
    return slot_role(slot) == ROLE_WORKER && slot->number > slot->master->workers && !slot->leaving;
}

bool strength_has_surplus(const struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (is_surplus(&master->slots[i]))
            return true;
    return false;
}

void strength_retire_surplus(struct master *master, int64_t now_ms)
{
    const char *reason = master->workers > 0 ? "fewer workers are wanted" : "the instance pauses";
    for (size_t i = 0; i < master->n_slots; i++)
        if (is_surplus(&master->slots[i]))
            succession_retire(&master->slots[i], reason, false, now_ms);
}

void strength_lower(struct master *master)
{
    if (master->workers <= 1) {
        log_warning("one worker is the least");
        return;
    }
    log_info("one worker fewer: %u, until the next reload", master->workers - 1);
    change_strength(master, master->workers - 1);
}

void strength_pause(struct master *master)
{
    master->workers = 0;
    log_warning("pausing: all workers leave, connections wait until a reload (HUP) or TTIN");
    notify_send("STATUS=Paused");
    chronicle(master, JOURNAL_PAUSE, NULL, "all workers leave, connections wait");
    sharing_change(master);
}
