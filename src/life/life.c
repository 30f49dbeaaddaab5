#include "config.h"

#include "life/life.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/identity.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"
#include "life/orphan.h"

#define HEARTBEAT_MS 1000

enum { ON_TERM, ON_QUIT, ON_BEAT, EVENTS };

struct life {
    struct life_birth birth;
    const struct life_callbacks *callbacks;
    void *arg;
    struct event_base *base;
    struct channel *channel;
    struct worker_identity identity;
    struct event *events[EVENTS];
    bool leaving;
    int status; /* to exit with */
};

struct event_base *life_base(const struct life *life)
{
    return life->base;
}

const struct worker_identity *life_identity(const struct life *life)
{
    return &life->identity;
}

void life_tell(struct life *life, const struct message *message)
{
    int err = channel_send(life->channel, message);
    if (err != 0)
        log_warning("cannot send %s to the master: %s", message_name(message->type),
                    strerror(-err));
}

void life_end(void *arg)
{
    struct life *life = arg;
    event_base_loopbreak(life->base);
}

static void drain(struct life *life, struct http_drain drain)
{
    drain.done = life_end;
    drain.arg = life;
    life->leaving = true;
    life->callbacks->drain(&drain, life->arg);
}

void life_leave(struct life *life, enum message_leaving_reason reason)
{
    struct message message = {.type = MESSAGE_LEAVING, .leaving.reason = (uint8_t)reason};
    if (life->leaving)
        return;
    life_tell(life, &message);
    drain(life, (struct http_drain){.idle_ms = life->birth.drain_idle_ms});
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    (void)what;
    log_info("got signal %d, finishing what is in flight", (int)signal_number);
    life_leave(arg, LEAVING_BY_SIGNAL);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct life *life = arg;
    (void)fd;
    (void)what;
    scoreboard_beat(life->birth.scoreboard, clock_now_ms());
}

void life_ready(struct life *life, unsigned listeners)
{
    const struct message message = {.type = MESSAGE_READY, .ready.listeners = listeners};
    life_tell(life, &message);
}

/* It knows who it is: from here on it may answer. */
static void on_master_id(struct life *life, const uint8_t uuid[MESSAGE_UUID_SIZE])
{
    if (life->identity.instance[0] != '\0')
        return;
    uuid_unparse_lower(uuid, life->identity.instance);
    log_debug("MASTER_ID is %s", life->identity.instance);
    int n = life->callbacks->begin(life->arg);
    if (n == LIFE_BEGINS_LATER)
        return;
    if (n < 0) {
        log_error("cannot accept connections: %s", strerror(-n));
        life->status = EX_OSERR;
        life_end(life);
        return;
    }
    life_ready(life, (unsigned)n);
}

static void move_access_log(struct life *life, int fd)
{
    if (life->callbacks->move_access_log != NULL)
        life->callbacks->move_access_log(fd, life->arg);
    else if (fd >= 0)
        close(fd);
}

static void on_message(const struct message *message, void *arg)
{
    struct life *life = arg;
    switch (message->type) {
    case MESSAGE_MASTER_ID_IS:
        on_master_id(life, message->master_id_is.uuid);
        break;
    case MESSAGE_DRAIN:
        drain(life, (struct http_drain){.delay_ms = message->drain.delay_ms,
                                        .idle_ms = message->drain.idle_ms,
                                        .last = message->drain.last,
                                        .stopping = message->drain.stopping});
        break;
    case MESSAGE_STOP:
        life_end(life);
        break;
    case MESSAGE_LOG:
        log_move(message->log.fd);
        break;
    case MESSAGE_ACCESS_LOG:
        move_access_log(life, message->log.fd);
        break;
    case MESSAGE_LOG_LEVEL:
        log_set_level((enum log_level)message->log_level.level);
        break;
    default:
        break; /* message_decode() lets no other type through */
    }
}

static void on_master_gone(int error, void *arg)
{
    struct life *life = arg;
    log_warning("the master is gone (%s), finishing what is in flight",
                error == 0 ? "end of file" : strerror(-error));
    orphan_deadline(life->birth.grace_ms);
    drain(life, (struct http_drain){
                    .idle_ms = life->birth.drain_idle_ms, .last = true, .stopping = true});
}

/* Signals that the terminal or an operator sends to the whole group are the master's business. */
static void ignore_masters_signals(void)
{
    static const int ignored[] = {SIGINT,  SIGHUP,   SIGUSR1, SIGUSR2, SIGPIPE,
                                  SIGXFSZ, SIGWINCH, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
}

static void know_thyself(struct life *life)
{
    struct worker_identity *identity = &life->identity;
    identity->worker = life->birth.id;
    identity->slot = life->birth.slot;
    identity->pid = getpid();
    identity->started_ms = clock_now_ms();
    if (gethostname(identity->hostname, sizeof identity->hostname - 1) != 0)
        identity->hostname[0] = '\0';
}

static int add_events(struct life *life)
{
    static const struct timeval beat = {HEARTBEAT_MS / 1000, HEARTBEAT_MS % 1000 * 1000};
    struct event_base *base = life->base;
    life->events[ON_TERM] = evsignal_new(base, SIGTERM, on_signal, life);
    life->events[ON_QUIT] = evsignal_new(base, SIGQUIT, on_signal, life);
    life->events[ON_BEAT] = event_new(base, -1, EV_PERSIST, on_beat, life);
    for (int i = 0; i < EVENTS; i++)
        if (life->events[i] == NULL)
            return -ENOMEM;
    if (event_add(life->events[ON_TERM], NULL) != 0 ||
        event_add(life->events[ON_QUIT], NULL) != 0 || event_add(life->events[ON_BEAT], &beat) != 0)
        return -ENOMEM;
    return 0;
}

static int set_up(struct life *life)
{
    static const struct channel_callbacks callbacks = {on_message, on_master_gone};
    life->base = event_base_new();
    if (life->base == NULL || add_events(life) != 0)
        return -ENOMEM;
    return channel_new(life->base, life->birth.channel_fd, MESSAGE_FROM_MASTER, &callbacks, life,
                       &life->channel);
}

int life_new(const struct life_birth *birth, const struct life_callbacks *callbacks, void *arg,
             struct life **ret_life)
{
    struct life *life = calloc(1, sizeof *life);
    if (life == NULL)
        return -ENOMEM;
    life->birth = *birth;
    life->callbacks = callbacks;
    life->arg = arg;
    know_thyself(life);
    ignore_masters_signals();
    orphan_watch(birth->master, birth->grace_ms);
    on_beat(-1, 0, life);
    int err = set_up(life);
    if (err != 0) {
        life_free(life);
        return err;
    }
    *ret_life = life;
    return 0;
}

static void introduce(struct life *life)
{
    struct message hello = {.type = MESSAGE_HELLO};
    struct message master_id = {.type = MESSAGE_MASTER_ID, .master_id.request = 1};
    hello.hello.worker = life->identity.worker;
    hello.hello.pid = (uint32_t)life->identity.pid;
    hello.hello.slot = life->identity.slot;
    life_tell(life, &hello);
    life_tell(life, &master_id);
}

int life_run(struct life *life)
{
    introduce(life);
    event_base_dispatch(life->base);
    return life->status;
}

void life_free(struct life *life)
{
    if (life == NULL)
        return;
    channel_free(life->channel);
    for (int i = 0; i < EVENTS; i++)
        if (life->events[i] != NULL)
            event_free(life->events[i]);
    if (life->base != NULL)
        event_base_free(life->base);
    libevent_global_shutdown();
    free(life);
}
