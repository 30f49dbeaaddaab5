/*
 * What an answer has when it is passed on from another server: interim answers
 * before it, trailers behind it, and the end of HTTP with status 101.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "http/reply.h"
#include "http/server_state.h"
#include "server_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define GET     "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_1_0 "GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define HEAD    "HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n"
#define HELLO   "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
#define HINT    "Link: </a.css>\r\n"
#define HINTED  "HTTP/1.1 103 Early Hints\r\n" HINT "\r\n"
#define UNKNOWN REPLY_LENGTH_UNKNOWN

static int client;
static struct http_request *suspended;
static struct reply_stream *stream;
static const char *trailers;
static enum reply_next next;
static unsigned n_over;
static unsigned n_gone;

/* What comes through a tunnel. */
static char piece[64];
static bool has_ended;

int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request));

static void on_gone(struct http_request *request, void *arg)
{
    (void)request;
    (void)arg;
    n_gone++;
}

int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request))
{
    (void)delay_ms;
    (void)then;
    suspended = request;
    request_suspend(request, on_gone, NULL);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fixture_serve(FIXTURE_LATER "route \"/hello\" { handler = text body = hello }\n");
    client = fixture_connect();
    suspended = NULL;
    stream = NULL;
    trailers = NULL;
    n_over = n_gone = 0;
    next = REPLY_END;
    has_ended = false;
    piece[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return close(client);
}

static void answer(const char *text)
{
    struct reply reply = {.status = 200, .type = "text/plain", .body = text, .len = strlen(text)};
    reply_send(suspended, &reply);
    fixture_turn();
}

static void hint(void)
{
    reply_interim(suspended, 103, HINT, strlen(HINT));
}

/* Cut off what an answer begins with. */
static const char *behind(const char *received, const char *start)
{
    if (strncmp(received, start, strlen(start)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", received, start);
    return received + strlen(start);
}

static const char *body_of(const char *received)
{
    const char *end = strstr(received, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* --- Interim answers ---------------------------------------------------------- */

static void interim_answers_come_before(void **state)
{
    (void)state;
    fixture_send(client, GET);
    hint();
    assert_string_equal(fixture_received(client, NULL), HINTED);
    hint();
    reply_interim(suspended, 102, NULL, 0);
    answer("done");
    const char *rest = behind(fixture_received(client, NULL), HINTED);
    rest = behind(rest, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_string_equal(body_of(rest), "done");
    assert_false(fixture_is_closed(client));
    fixture_send(client, HELLO);
    assert_string_equal(body_of(fixture_received(client, NULL)), "hello");
}

static void http_1_0_knows_none(void **state)
{
    (void)state;
    fixture_send(client, GET_1_0);
    hint();
    assert_string_equal(fixture_received(client, NULL), "");
    answer("done");
    assert_string_equal(body_of(behind(fixture_received(client, NULL), "HTTP/1.1 200 ")), "done");
}

/* Fill what the kernel keeps for the client; returns how many bytes interim answers took. */
static size_t hint_until_it_is_full(struct connection *connection)
{
    size_t n = 0;
    while (connection->output.memory.len == 0 && n < 100000) {
        hint();
        n++;
    }
    assert_true(n < 100000);
    return n * strlen(HINTED);
}

static void assert_only_hints(const char *received, const char *end)
{
    assert_true((size_t)(end - received) % strlen(HINTED) == 0);
    for (; received < end; received += strlen(HINTED))
        assert_memory_equal(received, HINTED, strlen(HINTED));
}

/* They are dropped, but for the one that was begun, and the answer is whole. */
static void who_does_not_read_is_told_no_more(void **state)
{
    static char text[70000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    fixture_send(client, GET);
    struct connection *connection = fixture_newest(CONNECTION_ANSWERING);
    size_t len = hint_until_it_is_full(connection), all;
    for (int i = 0; i < 100; i++)
        hint();
    assert_true(connection->output.memory.len <= strlen(HINTED));
    answer(text);
    const char *received = fixture_received(client, &all);
    const char *head = strstr(received, "HTTP/1.1 200 OK\r\n");
    assert_non_null(head);
    assert_only_hints(received, head);
    assert_int_equal(head - received, len);
    assert_string_equal(body_of(head), text);
    assert_false(fixture_is_closed(client));
}

static enum reply_next give(struct reply_stream *to, void *arg)
{
    (void)arg;
    stream = to;
    assert_int_equal(reply_write(to, "data", 4), 0);
    if (trailers != NULL)
        assert_int_equal(reply_trailers(to, trailers, strlen(trailers)), 0);
    return next;
}

static void count_over(void *arg)
{
    (void)arg;
    n_over++;
}

static void start_stream(int status, uint64_t len)
{
    struct reply reply = {.status = status};
    struct reply_source source = {len, give, count_over, NULL};
    reply_stream(suspended, &reply, &source);
    fixture_turn();
}

static void a_stream_goes_behind_them(void **state)
{
    (void)state;
    fixture_send(client, GET);
    struct connection *connection = fixture_newest(CONNECTION_ANSWERING);
    hint_until_it_is_full(connection);
    start_stream(200, 4);
    const char *received = fixture_received(client, NULL);
    const char *head = strstr(received, "HTTP/1.1 200 OK\r\n");
    assert_non_null(head);
    assert_only_hints(received, head);
    assert_string_equal(body_of(head), "data");
    assert_int_equal(n_over, 1);
}

static void nothing_comes_behind_the_answer(void **state)
{
    (void)state;
    fixture_send(client, GET);
    next = REPLY_WAIT;
    start_stream(200, UNKNOWN);
    hint();
    next = REPLY_END;
    reply_wake(stream);
    assert_string_equal(body_of(fixture_received(client, NULL)),
                        "4\r\ndata\r\n4\r\ndata\r\n0\r\n\r\n");
}

static void a_client_that_is_gone_is_told_nothing(void **state)
{
    (void)state;
    fixture_send(client, GET);
    close(client);
    client = fixture_connect();
    hint();
    hint();
    assert_int_equal(n_gone, 0);
    answer("done");
    assert_null(fixture_newest(CONNECTION_ANSWERING));
}

/* For the access log: they belong to the head. */
static void they_are_no_body(void **state)
{
    (void)state;
    fixture_send(client, GET);
    hint();
    next = REPLY_WAIT;
    start_stream(200, UNKNOWN);
    assert_int_equal(suspended->sent - suspended->head_bytes, strlen("4\r\ndata\r\n"));
    next = REPLY_END;
    reply_wake(stream);
}

/* --- Trailers --------------------------------------------------------------- */

static void trailers_follow_chunks_only(void **state)
{
    static const struct {
        const char *request;
        uint64_t len;
        const char *trailers;
        const char *body;
    } rows[] = {
        {GET, UNKNOWN, "X-Sum: 1\r\n", "4\r\ndata\r\n0\r\nX-Sum: 1\r\n\r\n"},
        {GET, UNKNOWN, "A: 1\r\nB: 2\r\n", "4\r\ndata\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"},
        {GET, UNKNOWN, "", "4\r\ndata\r\n0\r\n\r\n"},
        {GET, 4, "X-Sum: 1\r\n", "data"},
        {HEAD, UNKNOWN, "X-Sum: 1\r\n", ""},
        {GET_1_0, UNKNOWN, "X-Sum: 1\r\n", "data"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        trailers = rows[i].trailers;
        fixture_send(client, rows[i].request);
        start_stream(200, rows[i].len);
        assert_string_equal(body_of(fixture_received(client, NULL)), rows[i].body);
        assert_int_equal(n_over, i + 1);
    }
}

/* Those of one answer are not those of the next, whether they were sent or not. */
static void trailers_are_forgotten(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        trailers = "X-Sum: 1\r\n";
        fixture_send(client, GET);
        start_stream(200, i == 0 ? 4 : UNKNOWN);
        (void)fixture_received(client, NULL);
        trailers = NULL;
        fixture_send(client, GET);
        start_stream(200, UNKNOWN);
        assert_string_equal(body_of(fixture_received(client, NULL)), "4\r\ndata\r\n0\r\n\r\n");
    }
}

/* --- 101 ---------------------------------------------------------------------- */

static void on_piece(struct http_request *request, const char *data, size_t len, bool last)
{
    (void)request;
    assert_true(strlen(piece) + len < sizeof piece);
    if (len > 0)
        strncat(piece, data, len);
    has_ended = last;
}

static void switch_protocol(const char *more)
{
    static const char lines[] = "Upgrade: other\r\nConnection: upgrade\r\n";
    struct reply reply = {.status = 101, .lines = lines, .lines_len = strlen(lines)};
    struct reply_source source = {UNKNOWN, give, count_over, NULL};
    char text[512];

    snprintf(text, sizeof text, "%s%s", GET, more);
    next = REPLY_WAIT;
    fixture_send(client, text);
    reply_stream(suspended, &reply, &source);
    fixture_turn();
}

static void a_tunnel_goes_both_ways(void **state)
{
    (void)state;
    switch_protocol("");
    const char *received =
        behind(fixture_received(client, NULL), "HTTP/1.1 101 Switching Protocols\r\n");
    assert_non_null(strstr(received, "\r\nUpgrade: other\r\nConnection: upgrade\r\n"));
    assert_null(strstr(received, "Transfer-Encoding"));
    assert_null(strstr(received, "Content-Length"));
    assert_null(strstr(received, "close"));
    assert_string_equal(body_of(received), "data");
    request_read_body(suspended, on_piece);
    fixture_send(client, "\r\n");
    assert_string_equal(piece, "\r\n");
    fixture_send(client, "more");
    assert_string_equal(piece, "\r\n");
    request_read_body(suspended, on_piece);
    fixture_turn();
    assert_string_equal(piece, "\r\nmore");
    reply_wake(stream);
    fixture_turn();
    assert_string_equal(fixture_received(client, NULL), "data");
    next = REPLY_END;
    reply_wake(stream);
    assert_string_equal(fixture_received(client, NULL), "data");
    assert_true(fixture_is_closed(client));
    assert_int_equal(n_over, 1);
}

/* What was sent before the answer is for the tunnel, whatever it looks like. */
static void what_came_early_is_no_request(void **state)
{
    (void)state;
    switch_protocol(HELLO);
    assert_string_equal(body_of(fixture_received(client, NULL)), "data");
    request_read_body(suspended, on_piece);
    assert_string_equal(piece, HELLO);
    assert_false(has_ended);
}

/* Half of a tunnel may be closed, and the other still be of use. */
static void the_end_of_the_client_is_the_last_piece(void **state)
{
    (void)state;
    switch_protocol("");
    request_read_body(suspended, on_piece);
    shutdown(client, SHUT_WR);
    fixture_turn();
    assert_true(has_ended);
    assert_string_equal(piece, "");
    (void)fixture_received(client, NULL);
    reply_wake(stream);
    fixture_turn();
    assert_string_equal(fixture_received(client, NULL), "data");
    assert_int_equal(n_over, 0);
    next = REPLY_END;
    reply_wake(stream);
    fixture_turn();
    assert_int_equal(n_over, 1);
}

static void the_end_may_come_when_nobody_asks(void **state)
{
    (void)state;
    switch_protocol("");
    fixture_send(client, "more");
    shutdown(client, SHUT_WR);
    fixture_turn();
    request_read_body(suspended, on_piece);
    fixture_turn();
    assert_string_equal(piece, "more");
    assert_false(has_ended);
    request_read_body(suspended, on_piece);
    fixture_turn();
    assert_true(has_ended);
    assert_int_equal(n_over, 0);
}

/* As soon as it is seen; a worker that drains has nothing to wait for. */
static void a_tunnel_ends_with_its_client(void **state)
{
    (void)state;
    switch_protocol("");
    close(client);
    client = fixture_connect();
    reply_wake(stream);
    fixture_turn();
    assert_int_equal(n_over, 1);
    assert_int_equal(n_gone, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(interim_answers_come_before),
        TEST(http_1_0_knows_none),
        TEST(who_does_not_read_is_told_no_more),
        TEST(a_stream_goes_behind_them),
        TEST(nothing_comes_behind_the_answer),
        TEST(a_client_that_is_gone_is_told_nothing),
        TEST(they_are_no_body),
        TEST(trailers_follow_chunks_only),
        TEST(trailers_are_forgotten),
        TEST(a_tunnel_goes_both_ways),
        TEST(what_came_early_is_no_request),
        TEST(the_end_of_the_client_is_the_last_piece),
        TEST(the_end_may_come_when_nobody_asks),
        TEST(a_tunnel_ends_with_its_client),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
