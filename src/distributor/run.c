#include "config.h"

#include "distributor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "distributor/control_socket.h"
#include "distributor/distributor.h"
#include "distributor/door.h"
#include "distributor/status.h"
#include "host/daemon.h"
#include "host/descriptors.h"
#include "host/identity.h"
#include "host/notify.h"
#include "host/pidfile.h"
#include "worker/handlers.h"

struct life {
    const struct conf_args *args;
    struct conf *conf;
    int folder_fd; /* where relative paths begin; -1: unknown */
    struct pidfile *pidfile;
    struct event_base *base;
    struct distributor *distributor;
    int door_fd;    /* until the distributor has it */
    int control_fd; /* -1: none */
    char control_path[CONTROL_PATH_SIZE];
    struct event *events[8]; /* signals and the watchdog */
    size_t n_events;
};

/* --- Reload ----------------------------------------------------------------------------------- */

/* Load from the folder that the program was started in, and come back. */
static int load(const struct life *life, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (life->folder_fd >= 0 && fchdir(life->folder_fd) != 0)
        log_warning("cannot change to the folder of the start: %s", strerror(errno));
    int err = conf_load(life->args, handlers_conf, ret_conf, error);
    if (here >= 0) {
        if (fchdir(here) != 0)
            log_warning("cannot change back to the folder: %s", strerror(errno));
        close(here);
    }
    return err;
}

static void warn_of_the_rest(const struct conf *old, const struct conf *new)
{
    if (strcmp(old->distributor.listen, new->distributor.listen) != 0 ||
        strcmp(old->distributor.control, new->distributor.control) != 0)
        log_warning("distributor.listen and control count from the next start on");
    if (strcmp(old->instance.user, new->instance.user) != 0 ||
        strcmp(old->instance.group, new->instance.group) != 0 ||
        strcmp(old->instance.chroot, new->instance.chroot) != 0 ||
        strcmp(old->instance.pidfile, new->instance.pidfile) != 0 ||
        old->instance.daemon != new->instance.daemon)
        log_warning("the section instance counts from the next start on");
}

static void raise_descriptors(const struct conf_distributor *conf)
{
    size_t needed = distributor_descriptors(conf);
    size_t limit = descriptors_raise(needed);
    if (limit < needed)
        log_warning("%zu descriptors are allowed (RLIMIT_NOFILE), %ld nodes need %zu", limit,
                    conf->max_nodes, needed);
}

static int adopt(struct life *life, struct conf *conf)
{
    int err = conf_open_log(&conf->log);
    if (err != 0)
        return err;
    err = distributor_limit(life->distributor, &conf->distributor);
    if (err != 0)
        return err;
    warn_of_the_rest(life->conf, conf);
    raise_descriptors(&conf->distributor);
    conf_free(life->conf);
    life->conf = conf;
    return 0;
}

static void reload(struct life *life)
{
    char error[CONF_ERROR_SIZE] = "";
    struct conf *conf = NULL;
    notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, notify_monotonic_us());
    int err = load(life, &conf, error);
    if (err == 0) {
        err = adopt(life, conf);
        if (err != 0)
            conf_free(conf);
    }
    if (err == 0)
        log_info("reloaded");
    else
        log_error("reload refused: %s, what was goes on",
                  error[0] != '\0' ? error : strerror(-err));
    notify_send("READY=1");
}

/* --- The loop --------------------------------------------------------------------------------- */

static void on_stop(evutil_socket_t number, short what, void *arg)
{
    struct life *life = arg;
    (void)what;
    log_info("got %s, stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    event_base_loopbreak(life->base);
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    log_info("got SIGHUP");
    reload(arg);
}

static void on_reopen(evutil_socket_t number, short what, void *arg)
{
    const struct life *life = arg;
    (void)number;
    (void)what;
    int err = conf_open_log(&life->conf->log);
    if (err != 0)
        log_error("cannot open the log %s again: %s", life->conf->log.target, strerror(-err));
    else
        log_info("got SIGUSR1, the log is opened again");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    notify_send("WATCHDOG=1");
}

static int add_event(struct life *life, int signal_number, short what, event_callback_fn callback,
                     const struct timeval *interval)
{
    struct event *event = event_new(life->base, signal_number, what | EV_PERSIST, callback, life);
    if (event == NULL)
        return -ENOMEM;
    life->events[life->n_events++] = event;
    return event_add(event, interval) == 0 ? 0 : -ENOMEM;
}

static int watch_events(struct life *life)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    const struct timeval interval = {watchdog_ms / 1000, watchdog_ms % 1000 * 1000};
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    int err = add_event(life, SIGTERM, EV_SIGNAL, on_stop, NULL);
    if (err == 0)
        err = add_event(life, SIGINT, EV_SIGNAL, on_stop, NULL);
    if (err == 0)
        err = add_event(life, SIGHUP, EV_SIGNAL, on_reload, NULL);
    if (err == 0)
        err = add_event(life, SIGUSR1, EV_SIGNAL, on_reopen, NULL);
    if (err == 0 && watchdog_ms > 0)
        err = add_event(life, -1, 0, on_watchdog, &interval);
    return err;
}

/* --- The start -------------------------------------------------------------------------------- */

static int open_pidfile(struct life *life)
{
    char error[PIDFILE_ERROR_SIZE];
    if (life->conf->instance.pidfile[0] == '\0')
        return 0;
    int err = pidfile_open(life->conf->instance.pidfile, &life->pidfile, error);
    if (err != 0)
        log_error("%s", error);
    return err;
}

static int open_door(struct life *life)
{
    char error[DOOR_ERROR_SIZE];
    life->door_fd = door_listen(&life->conf->distributor, error);
    if (life->door_fd >= 0)
        return 0;
    log_error("%s", error);
    return life->door_fd;
}

/* A socket that is named must be had; one at the usual place may be somebody else's. */
static int open_control(struct life *life)
{
    const char *setting = life->conf->distributor.control;
    bool is_usual = strcmp(setting, "auto") == 0;
    int err = control_socket_path(setting, life->control_path);
    if (err == 0 && life->control_path[0] == '\0')
        return 0;
    int fd = err == 0 ? control_socket_listen(life->control_path, is_usual) : err;
    if (fd >= 0) {
        life->control_fd = fd;
        return 0;
    }
    if (is_usual)
        log_warning("cannot listen on %s: %s, --status will find nobody", life->control_path,
                    strerror(-fd));
    else
        log_error("cannot listen on %s: %s", life->control_path, strerror(-fd));
    life->control_path[0] = '\0';
    return is_usual ? 0 : fd;
}

/* Nothing that comes from the network is read before. */
static int settle(const struct conf_instance *instance)
{
    bool changes =
        instance->user[0] != '\0' || instance->group[0] != '\0' || instance->chroot[0] != '\0';
    if (changes && geteuid() != 0) {
        log_error("instance.user, group and chroot need root: start as root or leave them out");
        return -EPERM;
    }
    int err = identity_change(instance->user, instance->group, instance->chroot);
    if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        err = -errno;
    if (err != 0)
        log_error("cannot settle as user \"%s\", group \"%s\", chroot \"%s\": %s", instance->user,
                  instance->group, instance->chroot, strerror(-err));
    return err;
}

/* Visitors need edges: a method without them would wake for each socket that takes something. */
static struct event_base *make_loop(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;
    if (config != NULL && event_config_require_features(config, EV_FEATURE_ET) == 0)
        base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return base;
}

static int make_distributor(struct life *life)
{
    life->base = make_loop();
    if (life->base == NULL)
        return -ENOMEM;
    int err = watch_events(life);
    if (err == 0)
        err = distributor_new(life->base, life->door_fd, &life->conf->distributor,
                              &life->distributor);
    if (err != 0)
        return err;
    life->door_fd = -1;
    return life->control_fd >= 0 ? status_listen(life->distributor, life->control_fd) : 0;
}

static void announce(const struct distributor *distributor)
{
    char listen[ADDRESS_TEXT_SIZE];
    const struct log_field fields[] = {LOG_NUMBER("pid", getpid()),
                                       LOG_TEXT("version", PACKAGE_VERSION)};
    door_address(distributor, listen);
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0],
              "zombie-distributor listens on %s", listen);
}

/* Everything that may fail for good; a failure is logged. */
static int set_up(struct life *life)
{
    int err = open_pidfile(life);
    if (err != 0)
        return err;
    notify_open();
    raise_descriptors(&life->conf->distributor);
    err = open_door(life);
    if (err == 0)
        err = open_control(life);
    if (err == 0)
        err = settle(&life->conf->instance);
    if (err == 0)
        err = make_distributor(life);
    if (err == 0)
        announce(life->distributor);
    else
        log_error("cannot start: %s", strerror(-err));
    return err;
}

static void serve(const struct life *life)
{
    char listen[ADDRESS_TEXT_SIZE];
    door_address(life->distributor, listen);
    notify_send("READY=1\nMAINPID=%d\nSTATUS=Listens on %s", (int)getpid(), listen);
    event_base_dispatch(life->base);
    notify_send("STOPPING=1");
}

static void tear_down(struct life *life)
{
    if (life->distributor != NULL)
        status_close(life->distributor);
    distributor_free(life->distributor);
    if (life->door_fd >= 0)
        close(life->door_fd);
    if (life->control_fd >= 0) {
        unlink(life->control_path);
        close(life->control_fd);
    }
    for (size_t i = 0; i < life->n_events; i++)
        event_free(life->events[i]);
    if (life->base != NULL)
        event_base_free(life->base);
    pidfile_close(life->pidfile);
    if (life->folder_fd >= 0)
        close(life->folder_fd);
    conf_free(life->conf);
    libevent_global_shutdown();
}

/* Returns 0 and the descriptor of the process that waits, -1 when nobody does; or -errno. */
static int become_daemon(const struct conf *conf, int *ret_notify_fd)
{
    *ret_notify_fd = -1;
    if (!conf->instance.daemon)
        return 0;
    if (log_fd() <= STDERR_FILENO)
        log_warning("a daemon has no %s: set log.target to a file, or nothing is logged",
                    conf->log.target);
    return daemon_begin(ret_notify_fd);
}

/* Returns 0 and *ret_notify_fd as become_daemon(), or -errno and has said why. */
static int go_to_place(const struct conf *conf, int *ret_notify_fd)
{
    int err = conf_open_log(&conf->log);
    if (err != 0) {
        log_error("cannot log to %s: %s", conf->log.target, strerror(-err));
        return err;
    }
    err = become_daemon(conf, ret_notify_fd);
    if (err != 0)
        log_error("cannot become a daemon: %s", strerror(-err));
    return err;
}

int run_distributor(const struct conf_args *args, struct conf *conf)
{
    struct life life = {.args = args, .conf = conf, .door_fd = -1, .control_fd = -1};
    int notify_fd = -1;
    log_identify("distributor", 0);
    life.folder_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int err = go_to_place(conf, &notify_fd);
    if (err == 0)
        err = set_up(&life);
    if (notify_fd >= 0)
        daemon_report(notify_fd, err == 0 ? 0 : EX_OSERR);
    if (err == 0) {
        log_settle();
        serve(&life);
    }
    tear_down(&life);
    if (err == 0)
        log_info("stopped");
    return err == 0 ? 0 : EX_OSERR;
}
