/*
 * A client of the control socket that sends anything, in pieces of any length:
 * framing gives the same lines however the bytes are cut, a request that
 * decodes is one, and a whole server answers with one line for each line, of
 * its own form, until it is told something that is no request.
 *
 * The first byte says how long the pieces are.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/bytes.h"
#include "control/line.h"
#include "control/request_line.h"
#include "control/server.h"
#include "control/text.h"

#define OPEN_MAX_HELD 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct control_request *held[OPEN_MAX_HELD];
static size_t n_held;
static bool has_refused; /* framing and decoding have found what ends the connection */

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_line(const char *line, size_t len, bool *refused)
{
    struct control_request_line request;
    struct control_line_refusal refusal = {0, NULL};

    if (control_request_line_decode(line, len, &request, &refusal) != 0) {
        check(refusal.text != NULL && refusal.id <= CONTROL_ID_MAX);
        *refused = *refused || refusal.id == 0;
        return;
    }
    check(request.id >= 1 && request.id <= CONTROL_ID_MAX);
    check(strlen(request.command) >= 1 && strlen(request.command) <= CONTROL_COMMAND_MAX);
    check(json_is_object(request.arguments));
    check(json_object_get(request.arguments, "id") == NULL);
    check(json_object_get(request.arguments, "command") == NULL);
    json_decref(request.arguments);
}

/* All lines of the stream, each with its newline, if it is fed in pieces of this length. */
static struct bytes split(const char *data, size_t size, size_t piece)
{
    struct control_lines lines = {.max = CONTROL_LINE_MAX};
    struct bytes all = {.at = NULL};
    const char *line;
    int r = -EAGAIN;
    size_t len;

    while (size > 0 && r == -EAGAIN) {
        len = size < piece ? size : piece;
        check(control_lines_add(&lines, data, len) == 0);
        data += len;
        size -= len;
        while ((r = control_lines_next(&lines, &line, &len)) == 0) {
            check(len < CONTROL_LINE_MAX && memchr(line, '\n', len) == NULL);
            check_line(line, len, &has_refused);
            bytes_add(&all, line, len);
            bytes_add(&all, "\n", 1);
        }
    }
    has_refused = has_refused || r == -EMSGSIZE;
    control_lines_free(&lines);
    check(!all.failed);
    return all;
}

static void check_framing(const char *data, size_t size, size_t piece)
{
    has_refused = false;
    struct bytes whole = split(data, size, SIZE_MAX);
    struct bytes pieces = split(data, size, piece);

    check(whole.len == pieces.len);
    check(whole.len == 0 || memcmp(whole.at, pieces.at, whole.len) == 0);
    check(whole.len <= size && (whole.len == 0 || memcmp(whole.at, data, whole.len) == 0));
    bytes_free(&whole);
    bytes_free(&pieces);
}

/* Some commands are answered at once, some late, some never. */
static void on_request(struct control_request *request, const char *command,
                       const json_t *arguments, void *arg)
{
    (void)arg;
    check(json_is_object(arguments));
    if (command[0] == 'h' && n_held < OPEN_MAX_HELD) {
        held[n_held++] = request;
        control_progress(request, 0, 1, command);
    } else if (command[0] == 'l' && n_held > 0) {
        control_succeed(held[--n_held], "late", NULL);
        control_succeed(request, NULL, NULL);
    } else if (command[0] == 'f') {
        control_fail(request, CONTROL_FAILED, "%s", command);
    } else {
        control_succeed(request, command, json_deep_copy(arguments));
    }
}

static void on_dropped(struct control_request *request, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < n_held; i++)
        if (held[i] == request)
            held[i--] = held[--n_held];
}

/* Every line that the server sends is an object with an id, and null only at the end. */
static void check_answers(const char *text, size_t len)
{
    struct control_lines lines = {.max = SIZE_MAX};
    const char *line;
    bool ended = false;

    check(control_lines_add(&lines, text, len) == 0);
    while (control_lines_next(&lines, &line, &len) == 0) {
        json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
        const json_t *id = json_object_get(answer, "id");

        check(json_is_object(answer) && !ended);
        check(json_is_integer(id) || json_is_null(id));
        ended = json_is_null(id);
        json_decref(answer);
    }
    check(lines.from == lines.bytes.len); /* no half of one */
    check(ended || !has_refused);
    control_lines_free(&lines);
}

static void receive(int client, struct bytes *received)
{
    char bytes[4096];
    ssize_t n;

    while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        bytes_add(received, bytes, (size_t)n);
}

static void check_server(struct event_base *base, struct control_server *server, const char *data,
                         size_t size, size_t piece)
{
    struct bytes received = {.at = NULL};
    int fds[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    check(control_server_adopt(server, fds[0]) == 0);
    while (size > 0) {
        size_t len = size < piece ? size : piece;
        ssize_t n = send(fds[1], data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            break;
        data += n;
        size -= (size_t)n;
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
        receive(fds[1], &received);
    }
    for (int i = 0; i < 4 || n_held > 0; i++) {
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
        receive(fds[1], &received);
        if (i == 1)
            check(shutdown(fds[1], SHUT_WR) == 0);
        if (n_held > 0)
            control_succeed(held[--n_held], NULL, NULL);
    }
    check_answers(received.at != NULL ? received.at : "", received.len);
    bytes_free(&received);
    check(close(fds[1]) == 0);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    check(n_held == 0);
}

static void check_text(const char *data, size_t size)
{
    char *bytes = malloc(size + 1);

    check(bytes != NULL);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    json_t *text = control_text(bytes);
    check(json_is_string(text) && json_string_length(text) >= strlen(bytes));
    json_decref(text);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_base *base;
    static struct control_server *server;

    if (size < 1 || size > 65536)
        return 0;
    if (base == NULL) {
        base = event_base_new();
        const struct control_server_settings settings = {base, on_request, on_dropped, NULL};
        check(base != NULL && control_server_new(&settings, &server) == 0);
    }
    size_t piece = (size_t)data[0] * data[0] / 8 + 1;
    const char *stream = (const char *)data + 1;
    check_text(stream, size - 1);
    check_framing(stream, size - 1, piece);
    check_server(base, server, stream, size - 1, piece);
    return 0;
}
