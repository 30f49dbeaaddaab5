#include "config.h"

#include "control/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "control/answer.h"
#include "control/request.h"
#include "control/server_state.h"

/* What one turn reads of one client. */
#define READ_SIZE 4096

/* How long a refused client may take to read why. */
#define LINGER_S 1

/* How often it is looked whether a client is there that sends no more. */
#define HALF_CLOSED_S 1

/* How much of a refused client is read and ignored before it has to wait. */
#define IGNORED_MAX 262144

/* Memory for answers that is kept while there are none. */
#define OUT_KEPT 65536

/* The longest silent one is to stand first. */
static void note_activity(struct control_connection *connection)
{
    TAILQ_REMOVE(&connection->server->connections, connection, link);
    TAILQ_INSERT_TAIL(&connection->server->connections, connection, link);
}

void control_connection_drop(struct control_connection *connection)
{
    const struct control_server_settings *settings = &connection->server->settings;
    struct control_request *request;
    while ((request = TAILQ_FIRST(&connection->requests)) != NULL) {
        TAILQ_REMOVE(&connection->requests, request, link);
        connection->n_requests--;
        settings->dropped(request, settings->arg);
        control_request_free(request);
    }
}

static void free_events(struct control_connection *connection)
{
    struct event **events[] = {&connection->readable, &connection->writable, &connection->timer};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (*events[i] != NULL)
            event_free(*events[i]);
        *events[i] = NULL;
    }
}

void control_connection_cut(struct control_connection *connection)
{
    struct control_server *server = connection->server;
    if (connection->fd < 0)
        return;
    free_events(connection);
    close(connection->fd);
    connection->fd = -1;
    TAILQ_REMOVE(&server->connections, connection, link);
    server->n_connections--;
    TAILQ_INSERT_TAIL(&server->cut, connection, link);
    event_active(server->undertaker, EV_TIMEOUT, 0);
}

void control_connection_free(struct control_connection *connection)
{
    control_lines_free(&connection->lines);
    bytes_free(&connection->out);
    free(connection);
}

/* Look after it that much later, or give it up at once. */
static void set_timer(struct control_connection *connection, int seconds)
{
    const struct timeval wait = {seconds, 0};
    if (event_add(connection->timer, &wait) != 0)
        control_connection_cut(connection);
}

/* Close, or say that nothing more comes, when all is sent. */
static void settle(struct control_connection *connection)
{
    if (connection->fd < 0 || connection->out.len > 0)
        return;
    if (connection->has_ended && connection->n_requests == 0) {
        control_connection_cut(connection);
    } else if (connection->phase == CONTROL_LEAVING && !connection->has_shut) {
        connection->has_shut = true;
        shutdown(connection->fd, SHUT_WR);
    }
}

void control_connection_send(struct control_connection *connection, json_t *answer)
{
    if (connection->fd < 0) {
        json_decref(answer);
        return;
    }
    if (control_answer_add(&connection->out, answer) != 0) {
        log_warning("control: no memory for an answer, closing that connection");
        control_connection_cut(connection);
    } else if (connection->out.len > CONTROL_BACKLOG_MAX) {
        log_info("control: process %d does not read its answers, closing its connection",
                 (int)connection->peer.pid);
        control_connection_cut(connection);
    } else if (event_add(connection->writable, NULL) != 0) {
        control_connection_cut(connection);
    }
}

void control_connection_flush(struct control_connection *connection)
{
    if (connection->fd < 0)
        return;
    ssize_t n =
        send(connection->fd, connection->out.at, connection->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        control_connection_cut(connection);
    if (n <= 0 || connection->fd < 0)
        return;
    bytes_take(&connection->out, (size_t)n);
    if (connection->out.len > 0)
        return;
    event_del(connection->writable);
    if (connection->out.size > OUT_KEPT)
        bytes_free(&connection->out);
    settle(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct control_connection *connection = arg;
    (void)fd;
    (void)what;
    note_activity(connection);
    control_connection_flush(connection);
}

/* That was no request: say so, and listen no more. */
static void refuse(struct control_connection *connection, const char *text)
{
    connection->phase = CONTROL_LEAVING;
    set_timer(connection, LINGER_S);
    control_connection_send(connection, control_answer_failure(0, CONTROL_BAD_REQUEST, text));
    control_connection_drop(connection);
}

static bool is_open(const struct control_connection *connection, uint64_t id)
{
    const struct control_request *request;
    for (request = TAILQ_FIRST(&connection->requests); request != NULL;
         request = TAILQ_NEXT(request, link))
        if (request->line.id == id)
            return true;
    return false;
}

/* Give the request to the owner; the line's arguments are taken. */
static void take_request(struct control_connection *connection, struct control_request_line *line)
{
    const struct control_server_settings *settings = &connection->server->settings;
    struct control_request *request = NULL;
    if (connection->n_requests < CONTROL_REQUESTS_MAX)
        request = control_request_new(connection, line);
    if (request == NULL) {
        control_connection_send(connection, control_answer_failure(line->id, CONTROL_TOO_MANY,
                                                                   "too many requests are open"));
        json_decref(line->arguments);
        return;
    }
    settings->request(request, request->line.command, request->line.arguments, settings->arg);
}

static void take_line(struct control_connection *connection, const char *bytes, size_t len)
{
    struct control_request_line line;
    struct control_line_refusal refusal = {0, NULL};
    if (control_request_line_decode(bytes, len, &line, &refusal) == 0) {
        if (!is_open(connection, line.id)) {
            take_request(connection, &line);
            return;
        }
        json_decref(line.arguments);
        refusal = (struct control_line_refusal){0, "a request with this \"id\" is open"};
    }
    if (refusal.id == 0 || is_open(connection, refusal.id))
        refuse(connection, refusal.text);
    else
        control_connection_send(
            connection, control_answer_failure(refusal.id, CONTROL_BAD_REQUEST, refusal.text));
}

static void take_bytes(struct control_connection *connection, const char *bytes, size_t len)
{
    const char *line;
    int r = control_lines_add(&connection->lines, bytes, len);
    while (r == 0 && connection->fd >= 0 && connection->phase == CONTROL_SERVING) {
        r = control_lines_next(&connection->lines, &line, &len);
        if (r == 0)
            take_line(connection, line, len);
    }
    if (r == -ENOMEM)
        control_connection_cut(connection);
    if (r == -EMSGSIZE && connection->fd >= 0)
        refuse(connection, "a request is a line of at most 4096 bytes");
}

static void ignore_bytes(struct control_connection *connection, size_t len)
{
    connection->ignored += len;
    if (connection->ignored > IGNORED_MAX)
        event_del(connection->readable); /* the timer will come */
}

/* The peer has closed its end entirely, not only for what it sends. */
static bool is_gone(const struct control_connection *connection)
{
    struct pollfd peer = {.fd = connection->fd};
    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)) != 0;
}

static void take_end(struct control_connection *connection)
{
    connection->has_ended = true;
    event_del(connection->readable);
    if (is_gone(connection)) {
        control_connection_cut(connection);
    } else if (connection->phase == CONTROL_SERVING) {
        connection->phase = CONTROL_HALF_CLOSED;
        set_timer(connection, HALF_CLOSED_S);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct control_connection *connection = arg;
    struct control_server *server = connection->server;
    char bytes[READ_SIZE];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    control_server_hold(server);
    note_activity(connection);
    if (n < 0)
        control_connection_cut(connection);
    else if (n == 0)
        take_end(connection);
    else if (connection->phase == CONTROL_LEAVING)
        ignore_bytes(connection, (size_t)n);
    else
        take_bytes(connection, bytes, (size_t)n);
    settle(connection);
    control_server_release(server);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct control_connection *connection = arg;
    (void)fd;
    (void)what;
    if (connection->phase == CONTROL_LEAVING || is_gone(connection))
        control_connection_cut(connection);
    else
        set_timer(connection, HALF_CLOSED_S);
}

int control_connection_open(struct control_server *server, int fd, const struct control_peer *peer)
{
    struct event_base *base = server->settings.base;
    struct control_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return -ENOMEM;
    *connection = (struct control_connection){
        .server = server, .peer = *peer, .number = ++server->n_opened, .fd = fd};
    connection->lines.max = CONTROL_LINE_MAX;
    TAILQ_INIT(&connection->requests);
    connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection);
    connection->timer = event_new(base, -1, 0, on_timer, connection);
    if (connection->readable == NULL || connection->writable == NULL || connection->timer == NULL ||
        event_add(connection->readable, NULL) != 0) {
        free_events(connection);
        free(connection);
        return -ENOMEM;
    }
    TAILQ_INSERT_TAIL(&server->connections, connection, link);
    server->n_connections++;
    return 0;
}
