/*
 * Bodies that a handler takes piece by piece (request_read_body()): what comes of
 * them and when.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "body_fixture.h"
#include "http/limits.h"
#include "http/reply.h"

static int set_up(void **state)
{
    (void)state;
    serve("http { max_body_bytes = 10 max_pipelined = 1000 min_rate = 0 body_ms = 2000 }\n" ROUTES);
    return 0;
}

static int set_up_large(void **state)
{
    (void)state;
    serve("http { max_body_bytes = 100000000 min_rate = 1000 body_ms = 3600000 }\n" ROUTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return client >= 0 ? close(client) : 0;
}

static const struct {
    const char *request;
    const char *body;
} bodies[] = {
    {COUNTED "hello", "hello"},
    {POST "Content-Length: 1\r\n\r\n\n", "\n"},
    {POST "Content-Length: 10\r\n\r\n0123456789", "0123456789"},
    {CHUNKED "5\r\nhello\r\n0\r\n\r\n", "hello"},
    {CHUNKED "1\r\nh\r\n4;a=b\r\nello\r\n00\r\n\r\n", "hello"},
    {CHUNKED "a\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", "0123456789"},
    {CHUNKED "0\r\n\r\n", ""},
    {CHUNKED "0\r\nX-Sum: 0\r\n\r\n", ""},
};

static void assert_body(size_t row, const char *answers)
{
    if (strcmp(handler.body, bodies[row].body) != 0 || !handler.has_ended || handler.n_gone > 0)
        fail_msg("row %zu: \"%s\"", row, handler.body);
    assert_status(answers, "200");
    assert_null(strstr(answers, "Connection: close"));
}

static void come_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(bodies); i++, begin_again()) {
        fixture_send(client, bodies[i].request);
        assert_body(i, fixture_received(client, NULL));
    }
}

static void come_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(bodies); i++, begin_again()) {
        for (const char *at = bodies[i].request; *at != '\0'; at++) {
            char byte[2] = {*at, '\0'};
            assert_false(handler.has_ended);
            fixture_send(client, byte);
        }
        assert_body(i, fixture_received(client, NULL));
    }
}

/* None of what follows a body is taken for it, and it is served. */
static void come_with_more_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(bodies); i++, begin_again()) {
        char text[1024];
        snprintf(text, sizeof text, "%s" HELLO, bodies[i].request);
        fixture_send(client, text);
        const char *answers = fixture_received(client, NULL);
        const char *second = strstr(answers, "thanks");
        assert_body(i, answers);
        assert_non_null(second);
        assert_status(second + 6, "200");
        assert_string_equal(strstr(second, "\r\n\r\n") + 4, "hello");
    }
}

static void what_is_behind_waits_for_the_answer(void **state)
{
    (void)state;
    handler.answers = false;
    fixture_send(client, COUNTED "hello" HELLO);
    assert_true(handler.has_ended);
    assert_string_equal(fixture_received(client, NULL), "");
    answer("mine");
    fixture_turn();
    assert_non_null(strstr(fixture_received(client, NULL), "\r\n\r\nmineHTTP/1.1 200 "));
}

/* Who asks once gets one piece, and no request without a body is a stream. */
static void come_when_they_are_asked_for(void **state)
{
    (void)state;
    handler.asks = 0;
    fixture_send(client, CHUNKED "1\r\na\r\n1\r\nb\r\n");
    assert_int_equal(handler.n_pieces, 0);
    ask_from_outside();
    assert_string_equal(handler.body, "a");
    fixture_send(client, "1\r\nc\r\n");
    assert_int_equal(handler.n_pieces, 1);
    ask_from_outside();
    assert_string_equal(handler.body, "ab");
    ask_from_outside();
    ask_from_outside();
    assert_string_equal(handler.body, "abc");
    request_read_body(handler.request, NULL);
    fixture_send(client, "1\r\nd\r\n0\r\n\r\n");
    assert_int_equal(handler.n_pieces, 3);
    ask_from_outside();
    ask_from_outside();
    assert_string_equal(handler.body, "abcd");
    assert_true(handler.has_ended);
    assert_status(fixture_received(client, NULL), "200");
}

static void the_length_is_known_at_once(void **state)
{
    (void)state;
    handler.asks = 0;
    fixture_send(client, COUNTED);
    assert_int_equal(request_body_length(handler.request), 5);
    answer("");
    close(client);
    client = fixture_connect();
    fixture_send(client, CHUNKED);
    assert_true(request_body_length(handler.request) == REQUEST_CHUNKED);
}

/* A client that sends faster than the handler reads has to wait, and costs no memory. */
static void nothing_is_read_ahead(void **state)
{
    static const char block[65536];
    struct connection *connection;
    size_t sent = 0;
    ssize_t n;

    (void)state;
    handler.asks = 0;
    fixture_send(client, POST "Content-Length: 50000000\r\n\r\n");
    connection = fixture_newest(CONNECTION_ANSWERING);
    while ((n = send(client, block, sizeof block, MSG_NOSIGNAL)) > 0) {
        sent += (size_t)n;
        fixture_turn();
    }
    assert_true(sent < 4 * 1024 * 1024);
    assert_true(connection->in.len <= SCRATCH_BYTES);
    ask_from_outside();
    assert_int_equal(handler.n_pieces, 1);
    assert_true(handler.sum <= SCRATCH_BYTES);
    handler.asks = 1000000;
    ask();
    while (handler.sum < sent)
        fixture_turn();
    assert_int_equal(handler.sum, sent);
    assert_int_equal(server->body_bytes, 0);
    assert_int_equal(connection->in.len, 0);
}

static void says_continue_when_it_is_asked(void **state)
{
    static const struct {
        const char *head;
        const char *body;
    } rows[] = {
        {POST EXPECTS "Content-Length: 5\r\n\r\n", "hello"},
        {POST EXPECTS "Transfer-Encoding: chunked\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++, begin_again()) {
        handler.asks = 0;
        fixture_send(client, rows[i].head);
        assert_int_equal(handler.n_served, 1);
        assert_string_equal(fixture_received(client, NULL), "");
        ask_from_outside();
        assert_string_equal(fixture_received(client, NULL), GOES_ON);
        handler.asks = 1000;
        fixture_send(client, rows[i].body);
        assert_status(fixture_received(client, NULL), "200");
        assert_string_equal(handler.body, "hello");
    }
}

/* It is on its way: nobody waits for the word. */
static void does_not_say_continue_to_who_goes_on(void **state)
{
    (void)state;
    fixture_send(client, POST EXPECTS "Content-Length: 5\r\n\r\nhel");
    assert_string_equal(handler.body, "hel");
    assert_string_equal(fixture_received(client, NULL), "");
}

/* What the client is told instead is the answer, and no body is expected any more. */
static void may_be_answered_without_continue(void **state)
{
    (void)state;
    handler.asks = 0;
    fixture_send(client, POST EXPECTS "Content-Length: 5\r\n\r\n");
    answer("no");
    fixture_turn();
    const char *answers = fixture_received(client, NULL);
    assert_status(answers, "200");
    assert_non_null(strstr(answers, "\r\nConnection: close\r\n"));
    assert_true(fixture_is_closed(client));
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LARGE(name) cmocka_unit_test_setup_teardown(name, set_up_large, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(come_whole),
        TEST(come_byte_by_byte),
        TEST(come_with_more_behind),
        TEST(what_is_behind_waits_for_the_answer),
        TEST(come_when_they_are_asked_for),
        TEST(the_length_is_known_at_once),
        LARGE(nothing_is_read_ahead),
        TEST(says_continue_when_it_is_asked),
        TEST(does_not_say_continue_to_who_goes_on),
        TEST(may_be_answered_without_continue),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
