#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "http/identity.h"
#include "http/server.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"
#include "worker/chaos.h"
#include "worker/orphan.h"

#define HEARTBEAT_MS 1000

enum { ON_TERM, ON_QUIT, ON_BEAT, ON_DEATH, EVENTS };

struct worker {
    const struct worker_birth *birth;
    struct event_base *base;
    struct channel *channel;
    struct http_server *server;
    struct worker_identity identity;
    struct event *events[EVENTS];
    enum chaos_mode mode; /* of the death that ON_DEATH brings */
    int64_t death_ms;     /* when it does; INT64_MAX: not at all */
    bool leaving;
    int status; /* to exit with */
};

static void tell(struct worker *worker, const struct message *message)
{
    int err = channel_send(worker->channel, message);
    if (err != 0)
        log_warning("cannot send %s to the master: %s", message_name(message->type),
                    strerror(-err));
}

static void on_drained(void *arg)
{
    struct worker *worker = arg;
    event_base_loopbreak(worker->base);
}

static void drain(struct worker *worker, struct http_drain drain)
{
    drain.done = on_drained;
    drain.arg = worker;
    worker->leaving = true;
    http_server_drain(worker->server, &drain);
}

/* Leave of the worker's own accord: the others go on. */
static void leave(struct worker *worker, enum message_leaving_reason reason)
{
    struct message message = {.type = MESSAGE_LEAVING, .leaving.reason = (uint8_t)reason};
    if (worker->leaving)
        return;
    tell(worker, &message);
    drain(worker, (struct http_drain){.idle_ms = worker->birth->conf->instance.drain_idle_ms});
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    (void)what;
    log_info("got signal %d, finishing what is in flight", (int)signal_number);
    leave(arg, LEAVING_BY_SIGNAL);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    (void)fd;
    (void)what;
    scoreboard_beat(worker->birth->scoreboard, clock_now_ms());
}

static void die(struct worker *worker, enum chaos_mode mode)
{
    http_server_flush(worker->server);
    chaos_die(mode);
}

static void on_death(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    (void)fd;
    (void)what;
    if (worker->mode == CHAOS_EXIT)
        leave(worker, LEAVING_BY_CHAOS);
    else
        die(worker, worker->mode);
}

/* The master is told before it happens: afterwards nobody could say that it was meant. */
static void on_chaos(enum chaos_mode mode, uint32_t after_ms, const char *client, void *arg)
{
    struct worker *worker = arg;
    struct message message = {.type = MESSAGE_CHAOS};
    struct timeval delay = {after_ms / 1000, after_ms % 1000 * 1000};
    int64_t death_ms = clock_now_ms() + after_ms;
    message.chaos.mode = (uint8_t)mode;
    message.chaos.after_ms = after_ms;
    strncpy(message.chaos.client, client, sizeof message.chaos.client - 1);
    tell(worker, &message);
    if (after_ms == 0 && mode != CHAOS_EXIT && mode != CHAOS_HANG)
        die(worker, mode); /* before another connection is accepted */
    if (death_ms >= worker->death_ms)
        return; /* it will be dead by then */
    worker->death_ms = death_ms;
    worker->mode = mode;
    event_add(worker->events[ON_DEATH], &delay);
}

/* The worker knows who it is: from here on it may answer. */
static void on_master_id(struct worker *worker, const uint8_t uuid[MESSAGE_UUID_SIZE])
{
    struct message ready = {.type = MESSAGE_READY};
    if (worker->identity.instance[0] != '\0')
        return;
    uuid_unparse_lower(uuid, worker->identity.instance);
    log_debug("MASTER_ID is %s", worker->identity.instance);
    if (http_server_accept(worker->server, worker->birth->listeners, worker->birth->n_listeners) !=
        0) {
        log_error("cannot accept connections: out of memory");
        worker->status = EX_OSERR;
        event_base_loopbreak(worker->base);
        return;
    }
    ready.ready.listeners = (uint32_t)worker->birth->n_listeners;
    tell(worker, &ready);
}

static void on_message(const struct message *message, void *arg)
{
    struct worker *worker = arg;
    switch (message->type) {
    case MESSAGE_MASTER_ID_IS:
        on_master_id(worker, message->master_id_is.uuid);
        break;
    case MESSAGE_DRAIN:
        drain(worker, (struct http_drain){.delay_ms = message->drain.delay_ms,
                                          .idle_ms = message->drain.idle_ms,
                                          .last = message->drain.last,
                                          .stopping = message->drain.stopping});
        break;
    case MESSAGE_STOP:
        event_base_loopbreak(worker->base);
        break;
    case MESSAGE_LOG:
        log_move(message->log.fd);
        break;
    case MESSAGE_ACCESS_LOG:
        http_server_move_access_log(worker->server, message->log.fd);
        break;
    default:
        break; /* message_decode() lets no other type through */
    }
}

static void on_master_gone(int error, void *arg)
{
    struct worker *worker = arg;
    const struct conf_instance *instance = &worker->birth->conf->instance;
    log_warning("the master is gone (%s), finishing what is in flight",
                error == 0 ? "end of file" : strerror(-error));
    orphan_deadline(instance->grace_ms);
    drain(worker,
          (struct http_drain){.idle_ms = instance->drain_idle_ms, .last = true, .stopping = true});
}

/* Signals that the terminal or an operator sends to the whole group are the master's business. */
static void ignore_masters_signals(void)
{
    static const int ignored[] = {SIGINT,  SIGHUP,   SIGUSR1, SIGUSR2, SIGPIPE,
                                  SIGXFSZ, SIGWINCH, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
}

static void know_thyself(struct worker *worker)
{
    struct worker_identity *identity = &worker->identity;
    identity->worker = worker->birth->worker;
    identity->slot = worker->birth->slot;
    identity->pid = getpid();
    identity->started_ms = clock_now_ms();
    if (gethostname(identity->hostname, sizeof identity->hostname - 1) != 0)
        identity->hostname[0] = '\0';
}

static int add_events(struct worker *worker)
{
    static const struct timeval beat = {HEARTBEAT_MS / 1000, HEARTBEAT_MS % 1000 * 1000};
    struct event_base *base = worker->base;
    worker->events[ON_TERM] = evsignal_new(base, SIGTERM, on_signal, worker);
    worker->events[ON_QUIT] = evsignal_new(base, SIGQUIT, on_signal, worker);
    worker->events[ON_BEAT] = event_new(base, -1, EV_PERSIST, on_beat, worker);
    worker->events[ON_DEATH] = event_new(base, -1, 0, on_death, worker);
    for (int i = 0; i < EVENTS; i++)
        if (worker->events[i] == NULL)
            return -ENOMEM;
    if (event_add(worker->events[ON_TERM], NULL) != 0 ||
        event_add(worker->events[ON_QUIT], NULL) != 0 ||
        event_add(worker->events[ON_BEAT], &beat) != 0)
        return -ENOMEM;
    return 0;
}

static int set_up(struct worker *worker)
{
    static const struct channel_callbacks callbacks = {on_message, on_master_gone};
    worker->base = event_base_new();
    if (worker->base == NULL || add_events(worker) != 0)
        return -ENOMEM;
    struct http_server_settings settings = {
        .base = worker->base,
        .conf = worker->birth->conf,
        .identity = &worker->identity,
        .scoreboard = worker->birth->scoreboard,
        .access_log_fd = worker->birth->access_log_fd,
        .die = on_chaos,
        .arg = worker,
    };
    int err = http_server_new(&settings, &worker->server);
    if (err != 0)
        return err;
    return channel_new(worker->base, worker->birth->channel_fd, MESSAGE_FROM_MASTER, &callbacks,
                       worker, &worker->channel);
}

static void introduce(struct worker *worker)
{
    struct message hello = {.type = MESSAGE_HELLO};
    struct message master_id = {.type = MESSAGE_MASTER_ID, .master_id.request = 1};
    hello.hello.worker = worker->identity.worker;
    hello.hello.pid = (uint32_t)worker->identity.pid;
    hello.hello.slot = worker->identity.slot;
    tell(worker, &hello);
    tell(worker, &master_id);
}

static void tear_down(struct worker *worker)
{
    http_server_free(worker->server);
    channel_free(worker->channel);
    for (int i = 0; i < EVENTS; i++)
        if (worker->events[i] != NULL)
            event_free(worker->events[i]);
    if (worker->base != NULL)
        event_base_free(worker->base);
    libevent_global_shutdown();
}

int worker_run(const struct worker_birth *birth)
{
    struct worker worker = {.birth = birth, .death_ms = INT64_MAX};
    know_thyself(&worker);
    ignore_masters_signals();
    orphan_watch(birth->master, birth->conf->instance.grace_ms);
    on_beat(-1, 0, &worker);
    int err = set_up(&worker);
    if (err != 0) {
        log_error("cannot start: %s", strerror(-err));
        worker.status = EX_OSERR;
    } else {
        introduce(&worker);
        event_base_dispatch(worker.base);
    }
    tear_down(&worker);
    return worker.status;
}
