#include "config.h"

#include "control/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/bytes.h"
#include "control/answer.h"
#include "control/line.h"
#include "control/server.h"

/* The longest line of an answer; longer, and the connection is given up. */
#define ANSWER_MAX 8388608

/* What one turn reads. */
#define READ_SIZE 16384

/* What may wait to be sent. */
#define BACKLOG_MAX 1048576

/* How long connect(2) may wait for a place in the server's queue. */
#define CONNECT_S 5

/* A question whose answer is still wanted. */
struct ask {
    struct ask *next;
    uint64_t id;
    control_heard *heard;
    void *arg;
};

struct control_client {
    int fd;       /* -1: the connection has ended */
    bool is_deaf; /* the server takes no more; what it has said may still be read */
    struct event *readable;
    struct event *writable; /* pending while something is to be sent */
    struct control_lines lines;
    struct bytes out;
    uint64_t last_id;
    struct ask *asks; /* the oldest first */
    int holds;        /* callbacks on the stack that go on afterwards */
    bool is_over;
};

static void add_ask(struct control_client *client, struct ask *ask)
{
    struct ask **end = &client->asks;
    while (*end != NULL)
        end = &(*end)->next;
    ask->next = NULL;
    *end = ask;
}

static void remove_ask(struct control_client *client, struct ask *ask)
{
    struct ask **at = &client->asks;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    free(ask);
}

static void hang_up(struct control_client *client)
{
    if (client->fd < 0)
        return;
    event_free(client->readable);
    event_free(client->writable);
    close(client->fd);
    client->fd = -1;
}

static void hold(struct control_client *client)
{
    client->holds++;
}

static void release(struct control_client *client)
{
    if (--client->holds > 0 || !client->is_over)
        return;
    control_lines_free(&client->lines);
    bytes_free(&client->out);
    free(client);
}

/* One line for one who asked, who may free the client in there. */
static void tell(struct control_client *client, struct ask *ask, const json_t *line, bool is_last)
{
    struct ask told = *ask;
    if (is_last)
        remove_ask(client, ask);
    told.heard(line, is_last, told.arg);
}

/* The last that everybody hears who has asked until now. */
static void tell_all(struct control_client *client, const json_t *line)
{
    const uint64_t last_id = client->last_id;
    struct ask *ask;
    while ((ask = client->asks) != NULL && ask->id <= last_id)
        tell(client, ask, line, true);
}

static struct ask *find_ask(const struct control_client *client, uint64_t id)
{
    struct ask *ask = client->asks;
    while (ask != NULL && ask->id != id)
        ask = ask->next;
    return ask;
}

/* A line without an id is for all: this connection is not wanted. */
static void take_answer(struct control_client *client, const json_t *line)
{
    const json_t *id = json_object_get(line, "id");
    bool is_last = json_object_get(line, "ok") != NULL;
    if (json_is_null(id) && is_last) {
        tell_all(client, line);
        return;
    }
    struct ask *ask = find_ask(client, (uint64_t)json_integer_value(id));
    if (ask != NULL)
        tell(client, ask, line, is_last);
}

static int take_line(struct control_client *client, const char *bytes, size_t len)
{
    json_t *line = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
    int r = json_is_object(line) ? 0 : -EBADMSG;
    if (r == 0)
        take_answer(client, line);
    json_decref(line);
    return r;
}

/* Returns 0, or -errno when the connection is of no more use. */
static int take_bytes(struct control_client *client, const char *bytes, size_t len)
{
    const char *line;
    int r = control_lines_add(&client->lines, bytes, len);
    while (r == 0 && client->fd >= 0) {
        r = control_lines_next(&client->lines, &line, &len);
        if (r == 0)
            r = take_line(client, line, len);
    }
    return r == -EAGAIN ? 0 : r;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct control_client *client = arg;
    char bytes[READ_SIZE];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    hold(client);
    if (n <= 0 || take_bytes(client, bytes, (size_t)n) != 0) {
        hang_up(client);
        tell_all(client, NULL);
    }
    release(client);
}

/*
 * A server that has closed may have said why: that is still to be read, and the
 * end comes behind it.
 */
static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct control_client *client = arg;
    ssize_t n = send(fd, client->out.at, client->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    client->is_deaf = n < 0;
    bytes_take(&client->out, n < 0 ? client->out.len : (size_t)n);
    if (client->out.len == 0)
        event_del(client->writable);
}

int control_client_adopt(struct event_base *base, int fd, struct control_client **ret_client)
{
    struct control_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return -ENOMEM;
    *client = (struct control_client){.fd = fd, .lines = {.max = ANSWER_MAX}};
    evutil_make_socket_nonblocking(fd);
    client->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, client);
    client->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
    if (client->readable == NULL || client->writable == NULL ||
        event_add(client->readable, NULL) != 0) {
        if (client->readable != NULL)
            event_free(client->readable);
        if (client->writable != NULL)
            event_free(client->writable);
        free(client);
        return -ENOMEM;
    }
    *ret_client = client;
    return 0;
}

static int connect_to(int fd, const char *path)
{
    static const struct timeval patience = {CONNECT_S, 0};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof name.sun_path)
        return -ENAMETOOLONG;
    memcpy(name.sun_path, path, len + 1);
    (void)!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (connect(fd, (const struct sockaddr *)&name, sizeof name) != 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int control_client_connect(struct event_base *base, const char *path,
                           struct control_client **ret_client)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = connect_to(fd, path);
    if (r == 0)
        r = control_client_adopt(base, fd, ret_client);
    if (r != 0)
        close(fd);
    return r;
}

/* The whole request, or NULL; the reference to arguments is taken. */
static json_t *compose(uint64_t id, const char *command, json_t *arguments)
{
    json_t *line = json_object();
    int r = json_object_set_new(line, "id", json_integer((json_int_t)id));
    r |= json_object_set_new(line, "command", json_string(command));
    if (arguments != NULL)
        r |= json_object_update_missing(line, arguments);
    json_decref(arguments);
    if (r == 0)
        return line;
    json_decref(line);
    return NULL;
}

/* Queue the line and take its reference, or leave all as it is. */
static bool queue(struct control_client *client, json_t *line)
{
    size_t before = client->out.len;
    bool is_queued = control_answer_add(&client->out, line) == 0 &&
                     client->out.len - before <= CONTROL_LINE_MAX &&
                     client->out.len <= BACKLOG_MAX && event_add(client->writable, NULL) == 0;
    if (!is_queued) {
        client->out.len = before;
        client->out.failed = false;
    }
    return is_queued;
}

uint64_t control_client_ask(struct control_client *client, const char *command, json_t *arguments,
                            control_heard *heard, void *arg)
{
    bool can_send = control_client_is_connected(client);
    struct ask *ask = can_send ? malloc(sizeof *ask) : NULL;
    if (ask == NULL) {
        json_decref(arguments);
        return 0;
    }
    *ask = (struct ask){.id = client->last_id + 1, .heard = heard, .arg = arg};
    if (!queue(client, compose(ask->id, command, arguments))) {
        free(ask);
        return 0;
    }
    add_ask(client, ask);
    client->last_id = ask->id;
    return ask->id;
}

void control_client_forget(struct control_client *client, uint64_t id)
{
    struct ask *ask = find_ask(client, id);
    if (ask != NULL)
        remove_ask(client, ask);
}

bool control_client_is_connected(const struct control_client *client)
{
    return client->fd >= 0 && !client->is_deaf;
}

void control_client_free(struct control_client *client)
{
    if (client == NULL || client->is_over)
        return;
    hold(client);
    client->is_over = true;
    hang_up(client);
    while (client->asks != NULL)
        remove_ask(client, client->asks);
    release(client);
}
