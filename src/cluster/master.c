#include "config.h"

#include "cluster/master.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/cgroup.h"
#include "cluster/child.h"
#include "cluster/cpu_affinity.h"
#include "cluster/cpu_count.h"
#include "cluster/daemon.h"
#include "cluster/descriptors.h"
#include "cluster/listener.h"
#include "cluster/master_state.h"
#include "cluster/pidfile.h"
#include "cluster/reconcile.h"
#include "cluster/respawn.h"
#include "cluster/signals.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/event_log.h"
#include "ipc/scoreboard.h"

void slot_step(struct slot *slot, enum slot_event event)
{
    struct master *master = slot->master;
    int err = slot_next(slot->state, event, &slot->state);
    if (err != 0)
        log_error("slot %u: event %d makes no sense in state %s, ignored", slot->number, (int)event,
                  slot_state_name(slot->state));
    bool alive = slot_is_alive(slot->state);
    if (!alive)
        slot->pid = 0;
    struct scoreboard_place place = {
        .state = slot->state,
        .number = slot->number,
        .worker = slot->worker,
        .pid = slot->pid,
        .started_ms = slot->started_ms,
    };
    scoreboard_set_place(scoreboard_at(master->scoreboard, (size_t)(slot - master->slots)), &place);
}

unsigned master_count(const struct master *master, enum slot_state state)
{
    unsigned n = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        n += master->slots[i].state == state;
    return n;
}

struct slot *master_find(struct master *master, pid_t pid)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].pid == pid && slot_is_alive(master->slots[i].state))
            return &master->slots[i];
    return NULL;
}

static unsigned decide_workers(const struct conf_instance *instance)
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
    return (unsigned)cpu_count_workers(&facts, instance->reserve_cpus, instance->containers);
}

static int make_table(struct master *master)
{
    master->workers = decide_workers(&master->conf->instance);
    master->n_slots = 2 * (size_t)master->workers;
    master->slots = calloc(master->n_slots, sizeof *master->slots);
    if (master->slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < master->n_slots; i++) {
        master->slots[i].master = master;
        master->slots[i].deadline_ms = INT64_MAX;
    }
    return scoreboard_new(master->n_slots, &master->scoreboard);
}

static int make_policy(struct master *master)
{
    const struct conf_instance *instance = &master->conf->instance;
    const struct respawn_limits limits = {
        .per_second = instance->respawn_per_second,
        .per_10s = instance->respawn_per_10s,
        .backoff_min_ms = instance->backoff_min_ms,
        .backoff_max_ms = instance->backoff_max_ms,
    };
    return respawn_new(&limits, &master->respawn);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct master *master = arg;
    (void)what;
    master->wants |= signals_read(fd);
}

/* The loop returns after each turn that had an event; the event itself is nothing. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static int make_loop(struct master *master)
{
    master->signal_fd = signals_open();
    if (master->signal_fd < 0)
        return master->signal_fd;
    master->base = event_base_new();
    if (master->base == NULL)
        return -ENOMEM;
    master->signals =
        event_new(master->base, master->signal_fd, EV_READ | EV_PERSIST, on_signal, master);
    master->timer = event_new(master->base, -1, 0, on_timer, master);
    if (master->signals == NULL || master->timer == NULL || event_add(master->signals, NULL) != 0)
        return -ENOMEM;
    return 0;
}

static void announce(struct master *master)
{
    char text[UUID_STR_LEN];
    uuid_generate_random(master->uuid);
    uuid_unparse_lower(master->uuid, text);
    const struct log_field fields[] = {LOG_TEXT("instance", text), LOG_NUMBER("pid", getpid()),
                                       LOG_TEXT("version", PACKAGE_VERSION)};
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0], "zombie-server starts");
}

/* Everything that may fail for good; a failure is logged. */
static int set_up(struct master *master)
{
    master->pid = getpid();
    master->oom_kills = cgroup_oom_kills("");
    announce(master);
    event_log_install();
    descriptors_raise(master->conf);
    int err = child_check_user(master->conf);
    if (err == 0)
        err = listeners_open(master->conf, &master->listeners);
    if (err != 0)
        return err;
    err = make_table(master);
    if (err == 0)
        err = make_policy(master);
    if (err == 0)
        err = make_loop(master);
    if (err != 0)
        log_error("cannot start: %s", strerror(-err));
    return err;
}

static void arm_timer(struct master *master, int64_t now_ms, int64_t next_ms)
{
    int64_t wait_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (next_ms == INT64_MAX)
        event_del(master->timer);
    else
        event_add(master->timer, &wait);
}

static void loop(struct master *master)
{
    int64_t next_ms;
    for (;;) {
        int64_t now_ms = clock_now_ms();
        if (!reconcile(master, now_ms, &next_ms))
            return;
        arm_timer(master, now_ms, next_ms);
        event_base_loop(master->base, EVLOOP_ONCE);
    }
}

static void tear_down(struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        channel_free(master->slots[i].channel);
    if (master->signals != NULL)
        event_free(master->signals);
    if (master->timer != NULL)
        event_free(master->timer);
    if (master->base != NULL)
        event_base_free(master->base);
    if (master->signal_fd >= 0)
        close(master->signal_fd);
    listeners_free(master->listeners);
    scoreboard_free(master->scoreboard);
    respawn_free(master->respawn);
    free(master->slots);
    libevent_global_shutdown();
}

static int run(const struct conf *conf, int notify_fd)
{
    struct master master = {.conf = conf, .signal_fd = -1};
    struct pidfile *pidfile = NULL;
    const char *path = conf->instance.pidfile;
    int err = path[0] != '\0' ? pidfile_open(path, &pidfile) : 0;
    if (err == 0)
        err = set_up(&master);
    master.status = err == 0 ? 0 : EX_OSERR;
    if (notify_fd >= 0)
        daemon_report(notify_fd, master.status);
    if (err == 0) {
        loop(&master);
        log_info("stopped");
    }
    tear_down(&master);
    pidfile_close(pidfile);
    return master.status;
}

int master_run(const struct conf *conf)
{
    int notify_fd = -1;
    int err = log_open((enum log_level)conf->log.level, (enum log_format)conf->log.format,
                       conf->log.target);
    if (err != 0) {
        log_error("cannot log to %s: %s", conf->log.target, strerror(-err));
        return EX_OSERR;
    }
    if (conf->instance.daemon) {
        if (log_fd() <= STDERR_FILENO)
            log_warning("a daemon has no %s: set log.target to a file, or nothing is logged",
                        conf->log.target);
        err = daemon_begin(&notify_fd);
    }
    if (err != 0) {
        log_error("cannot become a daemon: %s", strerror(-err));
        return EX_OSERR;
    }
    return run(conf, notify_fd);
}
