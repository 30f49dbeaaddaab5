/*
 * With a Distributor the connection is the registration: it begins with POST and ends with the
 * connection. The protocol has no status, so who is not UP is connected and not listed, and going
 * DOWN takes a new connection.
 *
 *   connecting --> connected --POST (UP)--> told --a list with the instance--> listed
 *       ^              |                      |                                   |
 *       +--------------+----- not UP any more +-----------------------------------+
 *
 * The list comes to who is listed when it changes, and to anyone in answer to GET, by which the
 * Distributor is also asked now and then whether it is still there. Programs in the field answer
 * no GET: who has never answered one is taken to be such.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/util.h>

#include "base/bytes.h"
#include "base/log.h"
#include "discovery/driver.h"
#include "discovery/registries/distributor_follow.h"
#include "discovery/registries/distributor_wire.h"
#include "discovery/registries/frame.h"

/* Long lists are asked for less often, so that large stars are not busy with answering. */
#define LIST_BYTES_PER_MS 4

#define WHY_SIZE  128
#define READ_SIZE 16384

enum wait {
    WAIT_NONE, /* no task runs */
    WAIT_TURN,
    WAIT_CONNECTED,
    WAIT_LISTED,
};

struct session {
    struct driver_settings settings;
    struct bufferevent *bev; /* NULL: broken or deregistered */
    struct event *turn;      /* ends what was begun, from the loop */
    struct event *overdue;   /* the connection, an answer or the list with us */
    struct event *refresh;
    bool is_connected;
    bool is_told;   /* POST was sent on this connection */
    bool is_asked;  /* the last GET was, and is not answered */
    bool answers;   /* has answered a GET */
    int key;        /* of the last GET */
    enum wait wait; /* of the task that runs, */
    const struct driver_record *record;
    bool is_listed; /* in the list that is read */
    struct frames frames;
    struct bytes list; /* the last one of this connection, a frame */
    const char *why;   /* it breaks for, from the loop; NULL: it does not */
    struct distributor_follow follow;
};

static void add_timer(struct event *event, int64_t wait_ms)
{
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(event, &wait);
}

/* --- The end ------------------------------------------------------------------------------- */

static void disconnect(struct session *session)
{
    event_del(session->overdue);
    event_del(session->refresh);
    if (session->bev != NULL)
        bufferevent_free(session->bev);
    session->bev = NULL;
    session->is_connected = session->is_told = session->is_asked = false;
    frames_free(&session->frames);
    bytes_free(&session->list);
}

static void give_up(struct session *session, const char *why)
{
    disconnect(session);
    event_del(session->turn);
    session->wait = WAIT_NONE;
    session->record = NULL;
    session->settings.broken(DRIVER_UNREACHABLE, why, session->settings.arg);
}

static void finish(struct session *session)
{
    session->wait = WAIT_NONE;
    session->record = NULL;
    session->settings.done(DRIVER_DONE, "", session->settings.arg);
}

/* --- What is sent -------------------------------------------------------------------------- */

/* Give up, but from the loop. */
static void give_up_later(struct session *session, const char *why)
{
    session->why = why;
    event_active(session->turn, EV_TIMEOUT, 0);
}

static void send_frame(struct session *session, struct bytes *frame, int err)
{
    if (err != 0 || bufferevent_write(session->bev, frame->at, frame->len) != 0)
        give_up_later(session, err == -EINVAL ? "a text is no UTF-8" : "out of memory");
    bytes_free(frame);
}

/* For an answer is waited since the first of several questions. */
static void ask(struct session *session)
{
    struct bytes frame = {.at = NULL};
    session->key = session->key % INT_MAX + 1;
    session->is_asked = true;
    send_frame(session, &frame, distributor_write_get(&frame, session->key));
    if (!event_pending(session->overdue, EV_TIMEOUT, NULL))
        add_timer(session->overdue, session->settings.conf->timeout_ms);
    add_timer(session->refresh, session->settings.conf->refresh_ms);
}

/* The GET is for a list with us in any case, as there may be no other after an update. */
static void tell(struct session *session)
{
    const struct driver_record *record = session->record;
    struct bytes frame = {.at = NULL};
    int err = distributor_write_post(&frame, record->app, record->port, record->routes);
    send_frame(session, &frame, err);
    session->is_told = true;
    event_del(session->overdue);
    ask(session);
}

/* --- The list ------------------------------------------------------------------------------ */

static void on_node(const struct distributor_node *node, void *arg)
{
    struct session *session = arg;
    const struct driver_record *record = session->record;
    if (record != NULL && node->port == record->port && strcmp(node->name, record->app) == 0)
        session->is_listed = true;
    distributor_follow_take(&session->follow, node);
}

/* Returns whether it was the list. */
static bool read_list(struct session *session, const char *frame, size_t len, int *ret_key)
{
    struct distributor_list list;
    const char *why = "out of memory";
    session->is_listed = false;
    distributor_follow_read(&session->follow);
    int err = distributor_list_read(frame, len, on_node, session, &list, &why);
    if (err == 0 && session->follow.is_short)
        err = -ENOMEM;
    if (err != 0) {
        if (err != -EOPNOTSUPP)
            give_up(session, why);
        return false;
    }
    if (list.left_out > 0)
        log_debug("%s: %zu nodes without host, name or port are left out",
                  session->settings.url->text, list.left_out);
    *ret_key = list.key;
    return true;
}

/* What was asked for is answered, and with it what a task waits for. */
static void take_answer(struct session *session, int key)
{
    int64_t refresh_ms = session->settings.conf->refresh_ms;
    int64_t least_ms = (int64_t)session->list.len / LIST_BYTES_PER_MS;
    if (session->is_asked && key == session->key) {
        session->is_asked = false;
        session->answers = true;
    }
    if (!session->is_asked && session->wait != WAIT_LISTED)
        event_del(session->overdue);
    add_timer(session->refresh, refresh_ms > least_ms ? refresh_ms : least_ms);
}

static void take_frame(struct session *session, const char *frame, size_t len)
{
    int key = 0;
    if (!read_list(session, frame, len, &key))
        return;
    bytes_clear(&session->list);
    bytes_add(&session->list, frame, len);
    bool is_done = session->wait == WAIT_LISTED && session->is_listed;
    if (is_done)
        session->wait = WAIT_TURN;
    take_answer(session, key);
    if (is_done)
        finish(session);
    distributor_follow_tell(&session->follow, true, &session->settings);
}

/* --- The connection ------------------------------------------------------------------------ */

static void on_read(struct bufferevent *bev, void *arg)
{
    struct session *session = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    char data[READ_SIZE];
    int n, err = 0;
    while (session->bev == bev && (n = evbuffer_remove(input, data, sizeof data)) > 0) {
        const char *frame;
        size_t len;
        err = frames_add(&session->frames, data, (size_t)n);
        while (err == 0 && (err = frames_next(&session->frames, &frame, &len)) == 0) {
            take_frame(session, frame, len);
            if (session->bev != bev)
                return;
        }
        if (err != -EAGAIN) {
            give_up(session, err == -EMSGSIZE ? "its message is too long"
                             : err == -EILSEQ ? "its message is no UTF-8"
                                              : "out of memory");
            return;
        }
    }
}

/* One that is silent for ttl_ms is given up, whether or not anything is to be sent. */
static void set_options(int fd, long ttl_ms)
{
    int on = 1, patience_ms = (int)ttl_ms;
    int interval_s = ttl_ms > 3000 ? (int)(ttl_ms / 3000) : 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &interval_s, sizeof interval_s) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms) != 0)
        log_debug("cannot set options of a socket: %s", strerror(errno));
}

static void on_connected(struct session *session)
{
    session->is_connected = true;
    event_del(session->overdue);
    set_options(bufferevent_getfd(session->bev), session->settings.conf->ttl_ms);
    if (session->wait == WAIT_LISTED)
        tell(session);
    else
        ask(session);
    if (session->wait == WAIT_CONNECTED)
        finish(session);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct session *session = arg;
    char why[WHY_SIZE];
    int gai = bufferevent_socket_get_dns_error(bev);
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        on_connected(session);
        return;
    }
    if ((what & BEV_EVENT_EOF) != 0)
        snprintf(why, sizeof why, "it has closed the connection");
    else
        snprintf(why, sizeof why, "%s",
                 gai != 0 ? evutil_gai_strerror(gai)
                          : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    give_up(session, why);
}

static void connect_to(struct session *session)
{
    const struct driver_settings *settings = &session->settings;
    session->bev = bufferevent_socket_new(settings->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (session->bev == NULL) {
        give_up_later(session, "out of memory");
        return;
    }
    bufferevent_setcb(session->bev, on_read, NULL, on_event, session);
    bufferevent_enable(session->bev, EV_READ | EV_WRITE);
    add_timer(session->overdue, settings->conf->timeout_ms);
    if (bufferevent_socket_connect_hostname(session->bev, settings->dns, AF_UNSPEC,
                                            settings->url->host, (int)settings->url->port) != 0)
        give_up_later(session, "no connection can be begun");
}

/* --- Timers -------------------------------------------------------------------------------- */

/* The list of this connection is there already for those who follow later. */
static void tell_again(struct session *session)
{
    int key;
    if (session->list.len > 0 && read_list(session, session->list.at, session->list.len, &key))
        distributor_follow_tell(&session->follow, false, &session->settings);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;
    (void)fd;
    (void)what;
    if (session->why != NULL) {
        give_up(session, session->why);
        return;
    }
    if (session->wait == WAIT_TURN)
        finish(session);
    if (session->bev != NULL)
        tell_again(session);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;
    (void)fd;
    (void)what;
    if (!session->is_connected) {
        give_up(session, "connecting took too long");
    } else if (session->wait == WAIT_LISTED) {
        give_up(session, "it did not list the instance in time");
    } else if (session->answers) {
        give_up(session, "it did not answer in time");
    } else {
        session->is_asked = false;
        distributor_follow_lose(&session->follow,
                                "it gives its list to nobody who is not registered",
                                &session->settings);
    }
}

static void on_refresh(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask(arg);
}

/* --- The operations ------------------------------------------------------------------------ */

static void distributor_close(void *arg)
{
    struct session *session = arg;
    if (session->overdue != NULL && session->refresh != NULL)
        disconnect(session);
    distributor_follow_clear(&session->follow);
    if (session->turn != NULL)
        event_free(session->turn);
    if (session->overdue != NULL)
        event_free(session->overdue);
    if (session->refresh != NULL)
        event_free(session->refresh);
    free(session);
}

static int distributor_open(const struct driver_settings *settings, void **ret_session)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return -ENOMEM;
    session->settings = *settings;
    session->frames.max = DRIVER_ANSWER_MAX;
    session->turn = event_new(settings->base, -1, 0, on_turn, session);
    session->overdue = event_new(settings->base, -1, 0, on_overdue, session);
    session->refresh = event_new(settings->base, -1, 0, on_refresh, session);
    if (session->turn == NULL || session->overdue == NULL || session->refresh == NULL) {
        distributor_close(session);
        return -ENOMEM;
    }
    connect_to(session);
    *ret_session = session;
    return 0;
}

/* What is listed can only go with its connection; a new one is for the lists. */
static void withdraw(struct session *session)
{
    disconnect(session);
    distributor_follow_again(&session->follow);
    connect_to(session);
}

static void end_in_turn(struct session *session)
{
    session->wait = WAIT_TURN;
    event_active(session->turn, EV_TIMEOUT, 0);
}

static void distributor_begin(void *arg, enum driver_task task, const struct driver_record *record)
{
    struct session *session = arg;
    bool is_up = record->status == DRIVER_UP;
    session->record = record;
    if (task == DRIVER_DEREGISTER) {
        disconnect(session);
        end_in_turn(session);
    } else if (!is_up && session->is_told) {
        withdraw(session);
        end_in_turn(session);
    } else if (is_up && (task != DRIVER_HEARTBEAT || !session->is_told)) {
        session->wait = WAIT_LISTED;
        if (session->is_connected)
            tell(session);
    } else if (session->is_connected) {
        end_in_turn(session);
    } else {
        session->wait = WAIT_CONNECTED;
    }
}

static void distributor_follow_service(void *arg, const char *service)
{
    struct session *session = arg;
    if (distributor_follow_add(&session->follow, service) != 0)
        give_up_later(session, "out of memory");
    else if (session->list.len > 0)
        event_active(session->turn, EV_TIMEOUT, 0);
    else if (session->is_connected && !session->is_asked)
        ask(session);
}

const struct driver driver_distributor = {
    .name = "distributor",
    .backoff = {.first_ms = 3000, .max_ms = 3000, .spread_ms = 600},
    .open = distributor_open,
    .begin = distributor_begin,
    .follow = distributor_follow_service,
    .close = distributor_close,
};
