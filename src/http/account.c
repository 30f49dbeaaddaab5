#include "config.h"

#include "http/account.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/access_format.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "http/access_log.h"
#include "http/connection.h"
#include "http/identity.h"
#include "http/request.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

/* What nginx calls a request whose client went away before it was answered. */
#define STATUS_CLIENT_LEFT 499

/* A pipe that is full is looked at again after this time. */
#define AGAIN_MS 100

static void set_timer(struct http_server *server, int64_t now_ms, int64_t least_ms)
{
    int64_t due_ms = access_log_due_ms(server->access_log);
    if (due_ms < 0 || event_pending(server->access_due, EV_TIMEOUT, NULL))
        return;
    int64_t wait_ms = due_ms - now_ms > least_ms ? due_ms - now_ms : least_ms;
    struct timeval delay = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(server->access_due, &delay);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    access_log_flush(server->access_log, now_ms);
    set_timer(server, now_ms, AGAIN_MS);
}

int account_init(struct http_server *server)
{
    const struct conf_access_log *conf = &server->settings.conf->access_log;
    char why[ACCESS_FORMAT_WHY_SIZE];
    if (server->settings.access_log_fd < 0)
        return 0;
    int err = access_format_compile(conf->format, &server->access_format, why);
    if (err != 0)
        return err;
    struct access_log_settings settings = {.fd = server->settings.access_log_fd,
                                           .buffer_bytes = (size_t)conf->buffer_bytes,
                                           .flush_ms = conf->flush_ms,
                                           .format = server->access_format};
    server->access_due = event_new(server->settings.base, -1, 0, on_due, server);
    if (server->access_due == NULL)
        return -ENOMEM;
    return access_log_new(&settings, &server->access_log);
}

static struct access_text text_of(const char *text)
{
    return (struct access_text){text, text != NULL ? strlen(text) : 0};
}

/* "192.0.2.1" of "192.0.2.1:50000", "::1" of "[::1]:50000"; all of "unix:". */
static struct access_text host_of(const struct connection *connection)
{
    struct access_text text = text_of(connection->client);
    const char *colon = strrchr(connection->client, ':');
    if (connection->peer.storage.ss_family == AF_UNIX || colon == NULL)
        return text;
    text.len = (size_t)(colon - text.text);
    if (text.text[0] == '[' && text.len > 2) {
        text.text++;
        text.len -= 2;
    }
    return text;
}

static const char *find_header(const void *request, const char *name)
{
    return request_header(request, name);
}

static struct access_text text_at(const struct http_request *request, const struct span *span)
{
    return (struct access_text){request->head + span->at, span->len};
}

static void describe_request(struct access_entry *entry, const struct http_request *request)
{
    const struct conf_route *route = request_route(request);
    const struct slice *host = &request->connection->head.host;
    if (request->head == NULL)
        return; /* refused before it was understood */
    entry->method = text_of(request_method(request));
    entry->request_uri = text_at(request, &request->target);
    entry->path = text_of(request_path(request));
    entry->args = text_at(request, &request->query);
    entry->protocol = text_of(request->connection->head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
    entry->host = (struct access_text){host->at, host->len};
    entry->route = text_of(route != NULL ? route->pattern : NULL);
    entry->traceparent = text_of(request_traceparent(request));
    entry->header = find_header;
    entry->request = request;
}

static int status_of(const struct http_request *request)
{
    return request->answered ? request->status : STATUS_CLIENT_LEFT;
}

static void describe(struct access_entry *entry, struct connection *connection, int64_t now_us)
{
    const struct http_request *request = &connection->request;
    const struct worker_identity *identity = request->server->settings.identity;
    uint64_t head = request->head_bytes < request->sent ? request->head_bytes : request->sent;
    (void)connection_client(connection);
    *entry = (struct access_entry){
        .remote_addr = host_of(connection),
        .instance = text_of(identity->instance),
        .status = (unsigned)status_of(request),
        .body_bytes_sent = request->sent - head,
        .bytes_sent = request->sent,
        .request_length = request->received,
        .duration_us = (uint64_t)(now_us - request->begun_us),
        .connection = connection->number,
        .connection_requests = connection->n_requests,
        .worker = identity->worker,
        .slot = identity->slot,
        .pid = (uint64_t)identity->pid,
        .pipelined = request->pipelined,
        .attempts = request->attempts,
    };
    clock_gettime(CLOCK_REALTIME, &entry->time);
    describe_request(entry, request);
}

/* The line of the request in the access log, unless none is kept of it. */
static void note_down(struct connection *connection, int64_t now_us)
{
    struct http_server *server = connection->server;
    const struct conf_route *route = request_route(&connection->request);
    struct access_entry entry;
    if (server->access_log == NULL || (route != NULL && !route->access_log))
        return;
    describe(&entry, connection, now_us);
    access_log_write(server->access_log, &entry, now_us / 1000);
    set_timer(server, now_us / 1000, 0);
}

static enum scoreboard_method method_of(const struct http_request *request)
{
    static const enum scoreboard_method methods[] = {
        [METHOD_GET] = SCOREBOARD_GET,       [METHOD_HEAD] = SCOREBOARD_HEAD,
        [METHOD_POST] = SCOREBOARD_POST,     [METHOD_PUT] = SCOREBOARD_PUT,
        [METHOD_DELETE] = SCOREBOARD_DELETE, [METHOD_OPTIONS] = SCOREBOARD_OPTIONS,
        [METHOD_TRACE] = SCOREBOARD_OTHER,   [METHOD_PATCH] = SCOREBOARD_PATCH,
    };
    return request->head != NULL ? methods[request->connection->head.verb] : SCOREBOARD_OTHER;
}

static void count(const struct http_request *request, int64_t now_us)
{
    struct scoreboard_answer answer = {
        .method = method_of(request),
        .status = status_of(request),
        .received = request->received,
        .sent = request->sent,
        .duration_us = (uint64_t)(now_us - request->begun_us),
    };
    scoreboard_account(request->server->settings.scoreboard, &answer);
}

void account(struct connection *connection)
{
    int64_t now_us = clock_now_us();
    count(&connection->request, now_us);
    note_down(connection, now_us);
}

void account_flush(struct http_server *server)
{
    if (server->access_log != NULL)
        access_log_flush(server->access_log, clock_now_ms());
}

void account_move(struct http_server *server, int fd)
{
    if (fd < 0)
        return;
    if (server->access_log == NULL) {
        close(fd);
        return;
    }
    int err = access_log_move(server->access_log, fd, clock_now_ms());
    if (err != 0)
        log_warning("cannot move the access log: %s, it stays where it is", strerror(-err));
}

void account_clear(struct http_server *server)
{
    access_log_free(server->access_log);
    access_format_free(server->access_format);
    if (server->access_due != NULL)
        event_free(server->access_due);
}
