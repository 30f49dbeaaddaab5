#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zookeeper/zookeeper.h>

#include "base/log.h"
#include "discovery/driver.h"
#include "discovery/registries/zookeeper_state.h"

/* Connections that are lost before something is done on one. */
#define LOSSES_MAX 3

/* How long to wait for the rest of a frame's head, and at least before the next connection. */
#define HEAD_WAIT_MS  20
#define RETRY_WAIT_MS 50

static void turn(evutil_socket_t fd, short events, void *arg);

/* --- For the other files ------------------------------------------------------------------ */

void zookeeper_kick(struct zookeeper_session *session)
{
    event_active(session->wake, EV_TIMEOUT, 1);
}

bool zookeeper_is_connected(const struct zookeeper_session *session)
{
    return session->handle != NULL && session->state == ZOO_CONNECTED_STATE &&
           zoo_state(session->handle) == ZOO_CONNECTED_STATE;
}

void zookeeper_break(struct zookeeper_session *session, enum driver_outcome outcome,
                     const char *why)
{
    if (session->is_over)
        return;
    session->is_over = true;
    session->outcome = outcome;
    session->why = why;
}

void zookeeper_renew_patience(struct zookeeper_session *session)
{
    long ms = session->settings.conf->timeout_ms;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (session->n_pending > 0 || !zookeeper_is_connected(session))
        evtimer_add(session->patience, &tv);
    else
        evtimer_del(session->patience);
}

bool zookeeper_sent(struct zookeeper_session *session, int rc, enum zookeeper_answer answer)
{
    if (session->n_pending == ZOOKEEPER_PENDING)
        rc = ZSYSTEMERROR;
    if (rc != ZOK) {
        zookeeper_break(session, zookeeper_outcome(rc), zerror(rc));
        return false;
    }
    session->pending[(session->first_pending + session->n_pending) % ZOOKEEPER_PENDING] =
        (unsigned char)answer;
    if (session->n_pending++ == 0)
        zookeeper_renew_patience(session);
    /* It sends at once, and on failure closes its socket without a word to those who wait. */
    if (zoo_state(session->handle) != session->state)
        zookeeper_break(session, DRIVER_UNREACHABLE, "the connection was lost");
    return !session->is_over;
}

bool zookeeper_answered(struct zookeeper_session *session)
{
    if (session->is_closing)
        return false;
    if (session->n_pending > 0) {
        session->first_pending = (session->first_pending + 1) % ZOOKEEPER_PENDING;
        session->n_pending--;
    }
    zookeeper_renew_patience(session);
    return !session->is_over;
}

bool zookeeper_is_lost(int rc)
{
    return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT || rc == ZRUNTIMEINCONSISTENCY;
}

enum driver_outcome zookeeper_outcome(int rc)
{
    switch (rc) {
    case ZOK:
        return DRIVER_DONE;
    case ZNOAUTH:
    case ZAUTHFAILED:
    case ZSESSIONCLOSEDREQUIRESASLAUTH:
        return DRIVER_DENIED;
    case ZBADARGUMENTS:
    case ZINVALIDACL:
    case ZNOCHILDRENFOREPHEMERALS:
    case ZUNIMPLEMENTED:
        return DRIVER_REJECTED;
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
        return DRIVER_FORGOTTEN;
    default:
        return DRIVER_UNREACHABLE;
    }
}

/* --- The connection ------------------------------------------------------------------------ */

static void lose(struct zookeeper_session *session, bool was_connected)
{
    session->is_mid_frame = false;
    session->is_starved = false;
    if (was_connected) {
        log_debug("the connection to ZooKeeper was lost");
        zookeeper_renew_patience(session);
        if (++session->n_losses > LOSSES_MAX)
            zookeeper_break(session, DRIVER_UNREACHABLE, "the connection is lost again and again");
    } else if (!session->was_connected && ++session->n_failures >= session->n_addresses) {
        zookeeper_break(session, DRIVER_UNREACHABLE, "cannot connect");
    }
}

static void settle(struct zookeeper_session *session)
{
    long ttl_ms = session->settings.conf->ttl_ms;

    session->was_connected = true;
    session->is_mid_frame = false;
    if (zoo_recv_timeout(session->handle) < ttl_ms)
        log_debug("ZooKeeper keeps sessions for %d ms only", zoo_recv_timeout(session->handle));
    zookeeper_renew_patience(session);
}

/* Act on what a call of the library has made of the connection. */
static void look_at_state(struct zookeeper_session *session)
{
    int before = session->state, now = zoo_state(session->handle);

    if (now == before)
        return;
    session->state = now;
    if (now == ZOO_EXPIRED_SESSION_STATE)
        zookeeper_break(session, DRIVER_FORGOTTEN, "the session has expired");
    else if (now == ZOO_AUTH_FAILED_STATE)
        zookeeper_break(session, DRIVER_DENIED, "the credentials were refused");
    else if (now == ZOO_CONNECTED_STATE)
        settle(session);
    else if (now != ZOO_CONNECTING_STATE && now != ZOO_ASSOCIATING_STATE)
        lose(session, before == ZOO_CONNECTED_STATE);
}

/* Whether the library may read: not before a look at what begins a frame. */
static bool may_read(struct zookeeper_session *session)
{
    unsigned char head[ZOOKEEPER_HEAD_SIZE];
    ssize_t len = recv(session->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    size_t need;
    int r;

    if (len <= 0) /* the end is the library's to find out */
        return len == 0 || errno != EAGAIN;
    if (session->state == ZOO_ASSOCIATING_STATE)
        r = zookeeper_judge_welcome(head, (size_t)len, session->was_connected, &need);
    else
        r = zookeeper_judge(head, (size_t)len,
                            session->n_pending > 0 ? session->pending[session->first_pending]
                                                   : ZOOKEEPER_NOTHING,
                            session->is_login, &need);
    session->is_starved = r == 0;
    if (r < 0)
        zookeeper_break(session, DRIVER_UNREACHABLE,
                        r == -EMSGSIZE ? "an answer is too long" : "an answer makes no sense");
    return r > 0;
}

/* Also when something else has led to this turn: the end of a connection comes before a request. */
static void receive(struct zookeeper_session *session)
{
    session->is_starved = false;
    if (session->state != ZOO_ASSOCIATING_STATE && !zookeeper_is_connected(session))
        return;
    if (!session->is_mid_frame && !may_read(session))
        return;
    session->is_mid_frame = zookeeper_process(session->handle, ZOOKEEPER_READ) == ZNOTHING;
    look_at_state(session);
}

/* How long to wait at most: as long as the library does, unless a wait of its own is due. */
static struct timeval wait_of(const struct zookeeper_session *session, const struct timeval *theirs,
                              bool has_events)
{
    const struct timeval head = {.tv_usec = HEAD_WAIT_MS * 1000};
    const struct timeval retry = {.tv_usec = RETRY_WAIT_MS * 1000};

    if (session->is_starved)
        return head;
    return !has_events && theirs->tv_sec == 0 && theirs->tv_usec < retry.tv_usec ? retry : *theirs;
}

/* Ask the library what it waits for: it may connect, ping, or find that it waits in vain. */
static void wait_for_more(struct zookeeper_session *session)
{
    struct timeval tv = {0};
    int interest = 0, fd = -1, before = session->state;
    int rc = zookeeper_interest(session->handle, &fd, &interest, &tv);
    short events = 0;

    session->fd = rc == ZOK ? fd : -1;
    look_at_state(session);
    if (rc != ZOK && session->state == before)
        lose(session, false);
    if (session->is_over)
        return;
    if (session->fd >= 0 && (interest & ZOOKEEPER_READ) != 0 && !session->is_starved)
        events |= EV_READ;
    if (session->fd >= 0 && (interest & ZOOKEEPER_WRITE) != 0)
        events |= EV_WRITE;
    tv = wait_of(session, &tv, events != 0);
    event_assign(session->io, session->settings.base, events != 0 ? session->fd : -1, events, turn,
                 session);
    event_add(session->io, &tv);
}

static void tell_end(struct zookeeper_session *session)
{
    const char *why = session->why;

    event_del(session->io);
    event_del(session->wake);
    evtimer_del(session->patience);
    session->why = NULL;
    if (why != NULL)
        session->settings.broken(session->outcome, why, session->settings.arg);
}

static void turn(evutil_socket_t fd, short events, void *arg)
{
    struct zookeeper_session *session = arg;

    (void)fd;
    event_del(session->io);
    if (session->handle != NULL && !session->is_over) {
        if ((events & EV_WRITE) != 0) {
            (void)zookeeper_process(session->handle, ZOOKEEPER_WRITE);
            look_at_state(session);
        }
        if (!session->is_over)
            receive(session);
        if (zookeeper_is_connected(session) && !session->is_over)
            zookeeper_task_begin(session);
        if (zookeeper_is_connected(session) && !session->is_over)
            zookeeper_look_begin(session);
        if (!session->is_over)
            wait_for_more(session);
    }
    if (session->is_over)
        tell_end(session);
}

static void on_patience(evutil_socket_t fd, short events, void *arg)
{
    struct zookeeper_session *session = arg;

    (void)fd, (void)events;
    zookeeper_break(session, DRIVER_UNREACHABLE,
                    zookeeper_is_connected(session) ? "no answer in time"
                                                    : "no connection in time");
    tell_end(session);
}

/* --- The driver ---------------------------------------------------------------------------- */

/*
 * The library would wait for its server's answer to the end of the session, seconds when it does
 * not come, so it finds a connection that has ended. The session, with what it has registered,
 * goes on until it expires, or a successor has made the node its own; after a deregistration there
 * is nothing to keep.
 */
static void hang_up(struct zookeeper_session *session)
{
    unsigned char bye[ZOOKEEPER_BYE_SIZE];

    if (session->fd >= 0 && zoo_state(session->handle) == ZOO_CONNECTED_STATE) {
        zookeeper_say_bye(bye);
        if (session->is_gone && session->n_pending == 0)
            (void)send(session->fd, bye, sizeof bye, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(session->fd, SHUT_RDWR);
    }
    (void)zookeeper_close(session->handle);
}

static void session_close(void *arg)
{
    struct zookeeper_session *session = arg;

    session->is_closing = true;
    zookeeper_server_forget(session);
    if (session->io != NULL)
        event_free(session->io);
    if (session->wake != NULL)
        event_free(session->wake);
    if (session->patience != NULL)
        event_free(session->patience);
    if (session->handle != NULL)
        hang_up(session);
    zookeeper_look_free(session);
    zookeeper_task_free(&session->task);
    free(session);
}

static int session_open(const struct driver_settings *settings, void **ret_session)
{
    struct zookeeper_session *session = calloc(1, sizeof *session);
    int r = -ENOMEM;

    if (session == NULL)
        return r;
    session->settings = *settings;
    session->fd = -1;
    LIST_INIT(&session->looks);
    session->io = event_new(settings->base, -1, 0, turn, session);
    session->wake = event_new(settings->base, -1, 0, turn, session);
    session->patience = evtimer_new(settings->base, on_patience, session);
    if (session->io != NULL && session->wake != NULL && session->patience != NULL)
        r = zookeeper_server_find(session);
    if (r < 0)
        session_close(session);
    else
        *ret_session = session;
    return r;
}

static void session_begin(void *arg, enum driver_task task, const struct driver_record *record)
{
    struct zookeeper_session *session = arg;

    session->task.is_wanted = true;
    session->task.task = task;
    session->task.record = record;
    zookeeper_kick(session);
}

const struct driver driver_zookeeper = {
    .name = "zookeeper",
    .backoff = {.first_ms = 1000, .max_ms = 30000},
    .open = session_open,
    .begin = session_begin,
    .follow = zookeeper_look_follow,
    .close = session_close,
};
