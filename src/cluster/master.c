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
#include "base/log_ring.h"
#include "cluster/activated.h"
#include "cluster/balance.h"
#include "cluster/child.h"
#include "cluster/chronicle.h"
#include "cluster/control_link.h"
#include "cluster/generation.h"
#include "cluster/handover.h"
#include "cluster/launch.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/reconcile.h"
#include "cluster/respawn.h"
#include "cluster/signals.h"
#include "cluster/strength.h"
#include "cluster/table.h"
#include "cluster/tally.h"
#include "conf/conf.h"
#include "discovery/directory.h"
#include "host/cgroup_meter.h"
#include "host/daemon.h"
#include "host/notify.h"
#include "host/pidfile.h"
#include "ipc/event_log.h"
#include "ipc/scoreboard.h"
#include "proxy/balancer.h"

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

static void announce(const struct master *master, const char *what)
{
    char text[UUID_STR_LEN];
    uuid_unparse_lower(master->uuid, text);
    const struct log_field fields[] = {LOG_TEXT("instance", text), LOG_NUMBER("pid", getpid()),
                                       LOG_TEXT("version", PACKAGE_VERSION)};
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0], "zombie-server %s", what);
}

/* A new instance: an id, sockets, a table. */
static int begin(struct master *master, struct conf *conf)
{
    struct listeners *inherited = NULL;
    char error[GENERATION_ERROR_SIZE] = "";
    master->started_ms = clock_now_ms();
    master->last_generation = 1;
    uuid_generate_random(master->uuid);
    announce(master, "starts");
    const char *lacks = child_lacks_rights(conf);
    if (lacks != NULL) {
        log_error("%s", lacks);
        return -EPERM;
    }
    int err = activated_take(master->launch, conf, &inherited);
    struct listeners *const pools[PURPOSES] = {[PURPOSE_CLIENTS] = inherited};
    if (err == 0)
        err = generation_new(1, conf, pools, &master->current, error);
    listeners_free(inherited);
    if (err == 0)
        err = generation_open_access_log(master->current, error);
    if (error[0] != '\0')
        log_error("%s", error);
    if (err != 0)
        return err;
    strength_announce_sandbox(&conf->instance);
    strength_announce_registry(&conf->registry);
    master->workers = strength_decide(&conf->instance);
    listeners_grow(master->current->listeners[PURPOSE_CLIENTS], master->workers, 0);
    err = table_new(master);
    if (err == 0)
        err = tallies_new(master->scoreboard, &master->tallies);
    if (err == 0)
        err = balance_new(master, conf);
    if (err == 0)
        err = directory_new(&master->directory);
    chronicle(master, JOURNAL_START, NULL, "version " PACKAGE_VERSION);
    return err;
}

/* What is logged is kept for zombiectl, too, unless there is no memory for that. */
static void keep_log(struct master *master)
{
    if (master->log_ring == NULL && log_ring_new(&master->log_ring) != 0)
        master->log_ring = NULL;
    log_keep(master->log_ring);
}

/* Go on as the program that was here before; the reload replaces its workers by ours. */
static int go_on(struct master *master, struct conf *conf)
{
    char error[STATE_ERROR_SIZE];
    struct state state;
    int err = handover_read(master->launch, &state, error);
    close(master->launch->state_fd);
    if (err != 0) {
        log_error("cannot go on: %s", error);
        return err;
    }
    err = handover_check(&state, error);
    if (err != 0)
        log_error("cannot go on: %s", error);
    else
        err = handover_adopt(master, conf, &state);
    keep_log(master);
    if (state.configuration_fd >= 0)
        close(state.configuration_fd);
    state_clear(&state);
    if (err == 0)
        err = tallies_new(master->scoreboard, &master->tallies);
    if (err == 0) {
        announce(master, "goes on after an upgrade");
        chronicle(master, JOURNAL_UPGRADE, NULL, "version " PACKAGE_VERSION " goes on");
        scoreboard_count(master->scoreboard, SCOREBOARD_UPGRADES);
    }
    master->ready = err == 0 && table_count(master, SLOT_SERVING) > 0;
    master->wants |= WANT_RELOAD;
    return err;
}

/* Everything that may fail for good; a failure is logged. On success conf is the master's. */
static int set_up(struct master *master, struct conf *conf)
{
    master->pid = getpid();
    event_log_install();
    notify_open();
    if (master->launch->state_fd < 0)
        keep_log(master);
    strength_raise_descriptors(conf);
    if (cgroup_meter_new("", &master->meter) == 0)
        master->oom_kills = cgroup_meter_oom_kills(master->meter);
    int err = make_loop(master);
    if (err == 0)
        err = master->launch->state_fd < 0 ? begin(master, conf) : go_on(master, conf);
    if (err == 0)
        err = strength_make_policy(conf, &master->respawn);
    if (err == 0)
        err = control_link_new(master);
    if (err != 0) {
        log_error("cannot start: %s", strerror(-err));
        return err;
    }
    master->conf = conf;
    control_link_listen(master);
    return 0;
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
    control_link_free(master->control);
    tallies_free(master->tallies);
    table_free(master);
    balancer_free(master->balancer);
    directory_free(master->directory);
    if (master->signals != NULL)
        event_free(master->signals);
    if (master->timer != NULL)
        event_free(master->timer);
    if (master->base != NULL)
        event_base_free(master->base);
    if (master->signal_fd >= 0)
        close(master->signal_fd);
    generation_free(master->reload.next);
    generation_free(master->current);
    respawn_free(master->respawn);
    cgroup_meter_free(master->meter);
    pidfile_close(master->pidfile);
    pidfile_close(master->reload.pidfile);
    log_keep(NULL);
    log_ring_free(master->log_ring);
    libevent_global_shutdown();
}

/* Those who watch were served to the end. */
static void shut_doors(struct master *master)
{
    control_link_free(master->control);
    master->control = NULL;
    for (int purpose = 0; purpose < PURPOSES; purpose++)
        listeners_close(master->current->listeners[purpose]);
}

static void say_goodbye(const struct master *master)
{
    if (master->strangers > 0)
        log_info("reaped %" PRIu64 " processes that were no workers", master->strangers);
    log_info("stopped");
}

static int open_pidfile(struct master *master, const char *path)
{
    char error[PIDFILE_ERROR_SIZE];
    int err = pidfile_open(path, &master->pidfile, error);
    if (err != 0)
        log_error("%s", error);
    return err;
}

/* Signals come first: process 1 has no default dispositions, so an early TERM would be lost. */
static int run(const struct launch *launch, struct conf *conf, int notify_fd)
{
    struct master master = {.launch = launch, .wants = WANT_REAP, .ordered_level = -1};
    const char *path = conf->instance.pidfile;
    master.signal_fd = signals_open();
    int err = master.signal_fd < 0 ? master.signal_fd : 0;
    if (err != 0)
        log_error("cannot take signals: %s", strerror(-err));
    if (err == 0 && path[0] != '\0' && launch->state_fd < 0)
        err = open_pidfile(&master, path);
    if (err == 0)
        err = set_up(&master, conf);
    if (master.current == NULL)
        conf_free(conf);
    master.status = err == 0 ? 0 : EX_OSERR;
    if (notify_fd >= 0)
        daemon_report(notify_fd, master.status);
    if (err == 0) {
        log_settle();
        loop(&master);
        shut_doors(&master);
        say_goodbye(&master);
    }
    tear_down(&master);
    return master.status;
}

/* Returns 0 and the descriptor of the process that waits, -1 when nobody does; or -errno. */
static int become_daemon(const struct conf *conf, const struct launch *launch, int *ret_notify_fd)
{
    *ret_notify_fd = -1;
    if (!conf->instance.daemon)
        return 0;
    if (launch->state_fd >= 0)
        return chdir("/") == 0 ? 0 : -errno;
    if (log_fd() <= STDERR_FILENO)
        log_warning("a daemon has no %s: set log.target to a file, or nothing is logged",
                    conf->log.target);
    return daemon_begin(ret_notify_fd);
}

/* After an upgrade there is no way back: a log that cannot be opened is no reason to end. */
static int open_log(const struct conf_log *conf, const struct launch *launch)
{
    int err = conf_open_log(conf);
    if (err != 0)
        log_error("cannot log to %s: %s", conf->target, strerror(-err));
    return launch->state_fd < 0 ? err : 0;
}

int master_run(const struct launch *launch, struct conf *conf)
{
    int notify_fd;
    int err = open_log(&conf->log, launch);
    if (err == 0) {
        err = become_daemon(conf, launch, &notify_fd);
        if (err != 0)
            log_error("cannot become a daemon: %s", strerror(-err));
    }
    if (err == 0)
        return run(launch, conf, notify_fd);
    conf_free(conf);
    return EX_OSERR;
}
