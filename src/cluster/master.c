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
#include "host/cgroup.h"
#include "cluster/child.h"
#include "host/cpu_affinity.h"
#include "host/cpu_count.h"
#include "host/daemon.h"
#include "host/descriptors.h"
#include "cluster/listener.h"
#include "cluster/master_state.h"
#include "host/pidfile.h"
#include "cluster/reconcile.h"
#include "cluster/respawn.h"
#include "cluster/signals.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "http/server.h"
#include "ipc/event_log.h"

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

static void raise_descriptors(const struct conf *conf)
{
    size_t needed = http_server_descriptors(conf);
    size_t limit = descriptors_raise(needed);
    if (limit < needed)
        log_warning("http.max_connections = %ld needs %zu descriptors a worker, the limit is %zu: "
                    "workers accept fewer connections",
                    conf->http.max_connections, needed, limit);
}

/* Everything that may fail for good; a failure is logged. */
static int set_up(struct master *master)
{
    master->pid = getpid();
    master->oom_kills = cgroup_oom_kills("");
    announce(master);
    event_log_install();
    raise_descriptors(master->conf);
    int err = child_check_user(master->conf);
    if (err == 0)
        err = listeners_open(master->conf, &master->listeners);
    if (err != 0)
        return err;
    master->workers = decide_workers(&master->conf->instance);
    err = table_new(master);
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
    table_free(master);
    if (master->signals != NULL)
        event_free(master->signals);
    if (master->timer != NULL)
        event_free(master->timer);
    if (master->base != NULL)
        event_base_free(master->base);
    if (master->signal_fd >= 0)
        close(master->signal_fd);
    listeners_free(master->listeners);
    respawn_free(master->respawn);
    libevent_global_shutdown();
}

static void say_goodbye(const struct master *master)
{
    if (master->strangers > 0)
        log_info("reaped %" PRIu64 " processes that were no workers", master->strangers);
    log_info("stopped");
}

/* Signals come first: process 1 has no default dispositions, so an early TERM would be lost. */
static int run(const struct conf *conf, int notify_fd)
{
    struct master master = {.conf = conf, .wants = WANT_REAP};
    struct pidfile *pidfile = NULL;
    const char *path = conf->instance.pidfile;
    master.signal_fd = signals_open();
    int err = master.signal_fd < 0 ? master.signal_fd : 0;
    if (err == 0 && path[0] != '\0')
        err = pidfile_open(path, &pidfile);
    if (err == 0)
        err = set_up(&master);
    master.status = err == 0 ? 0 : EX_OSERR;
    if (notify_fd >= 0)
        daemon_report(notify_fd, master.status);
    if (err == 0) {
        log_settle();
        loop(&master);
        say_goodbye(&master);
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
