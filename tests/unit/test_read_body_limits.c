/*
 * Bodies that a handler takes piece by piece: what limits them, who leaves in the
 * middle, and what becomes of the connection.
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

static void a_client_that_is_gone_is_not_told_to_continue(void **state)
{
    (void)state;
    handler.asks = 0;
    fixture_send(client, POST EXPECTS "Content-Length: 5\r\n\r\n");
    close(client);
    client = -1;
    fixture_turn();
    if (handler.request != NULL)
        ask_from_outside();
    assert_int_equal(handler.n_gone, 1);
    assert_int_equal(server->n_connections, 0);
}

static void too_much_is_refused(void **state)
{
    static const struct {
        const char *request;
        unsigned n_served; /* and told that it is over */
    } rows[] = {
        {POST "Content-Length: 11\r\n\r\n", 0},
        {POST EXPECTS "Content-Length: 11\r\n\r\n", 0},
        {CHUNKED "b\r\n", 1},
        {CHUNKED "a\r\n0123456789\r\n1\r\n", 1},
        {CHUNKED "5\r\nhello\r\nfffffff\r\n", 1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++, begin_again()) {
        unsigned long hits = fixture_limit_hits(LIMIT_BODY_BYTES);
        fixture_send(client, rows[i].request);
        assert_status(fixture_received(client, NULL), "413");
        assert_true(fixture_is_closed(client));
        assert_int_equal(handler.n_served, rows[i].n_served);
        assert_int_equal(handler.n_gone, rows[i].n_served);
        assert_int_equal(fixture_limit_hits(LIMIT_BODY_BYTES), hits + 1);
        close(client);
        client = fixture_connect();
    }
}

static void malformed_chunks_are_refused(void **state)
{
    static const char *const rows[] = {CHUNKED "x\r\n", CHUNKED "1\r\nab\r\n", CHUNKED "1\na\r\n",
                                       CHUNKED "-1\r\n", CHUNKED "1\r\na\r\n0\r\n: x\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++, begin_again()) {
        fixture_send(client, rows[i]);
        assert_status(fixture_received(client, NULL), "400");
        assert_true(fixture_is_closed(client));
        assert_int_equal(handler.n_gone, 1);
        close(client);
        client = fixture_connect();
    }
}

/* Only the client's time counts, all of it together. */
static void takes_too_long(void **state)
{
    (void)state;
    handler.asks = 1;
    fixture_send(client, POST "Content-Length: 9\r\n\r\n");
    move_on(1900);
    fixture_send(client, "a");
    assert_string_equal(handler.body, "a");
    move_on(60000);
    ask_from_outside();
    move_on(50);
    fixture_send(client, "b");
    ask_from_outside();
    assert_int_equal(handler.n_gone, 0);
    move_on(51);
    assert_int_equal(handler.n_gone, 1);
    assert_status(fixture_received(client, NULL), "408");
    assert_true(fixture_is_closed(client));
    assert_int_equal(fixture_limit_hits(LIMIT_BODY_TIME), 1);
}

/* Whoever has waited for longest is refused first, though another one came later. */
static void each_has_its_own_time(void **state)
{
    int other = fixture_connect();

    (void)state;
    handler.asks = 1;
    fixture_send(client, POST "Content-Length: 9\r\n\r\n");
    move_on(1500);
    fixture_send(client, "a");
    fixture_send(other, POST "Content-Length: 9\r\n\r\n");
    handler.asks = 1;
    struct http_request *later = handler.request;
    handler.request = &TAILQ_FIRST(&server->phases[CONNECTION_ANSWERING])->request;
    request_read_body(later, on_piece);
    request_read_body(handler.request, on_piece);
    move_on(600);
    assert_status(fixture_received(client, NULL), "408");
    assert_string_equal(fixture_received(other, NULL), "");
    handler.request = later;
    close(other);
}

static void comes_too_slowly(void **state)
{
    (void)state;
    fixture_send(client, POST "Content-Length: 900000\r\n\r\nhello");
    move_on(4999);
    assert_int_equal(handler.n_gone, 0);
    fixture_send(client, "more");
    move_on(1);
    assert_int_equal(handler.n_gone, 1);
    assert_status(fixture_received(client, NULL), "408");
    assert_int_equal(fixture_limit_hits(LIMIT_RATE), 1);
}

/* The handler's time is not the client's. */
static void may_wait_for_the_handler(void **state)
{
    (void)state;
    handler.asks = 1;
    fixture_send(client, POST "Content-Length: 900000\r\n\r\nhello");
    assert_string_equal(handler.body, "hello");
    move_on(100000);
    assert_int_equal(handler.n_gone, 0);
    ask_from_outside();
    move_on(4000);
    assert_int_equal(handler.n_gone, 0);
}

static void a_client_that_leaves_is_told(void **state)
{
    static const char *const rows[] = {COUNTED "hell", CHUNKED "5\r\nhello\r\n", COUNTED};

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++, begin_again()) {
        fixture_send(client, rows[i]);
        assert_int_equal(handler.n_gone, 0);
        shutdown(client, SHUT_WR);
        fixture_turn();
        assert_int_equal(handler.n_gone, 1);
        assert_true(fixture_is_closed(client));
        close(client);
        client = fixture_connect();
    }
}

/* It has sent all, and may still read. */
static void a_client_may_end_behind_its_body(void **state)
{
    (void)state;
    handler.answers = false;
    fixture_send(client, COUNTED "hello");
    shutdown(client, SHUT_WR);
    fixture_turn();
    assert_int_equal(handler.n_gone, 0);
    answer("still");
    fixture_turn();
    assert_status(fixture_received(client, NULL), "200");
}

static void it_ends_with_its_client_if_it_wants_to(void **state)
{
    (void)state;
    handler.answers = false;
    fixture_send(client, COUNTED "hello");
    request_end_with_client(handler.request, true);
    shutdown(client, SHUT_WR);
    fixture_turn();
    assert_int_equal(handler.n_gone, 1);
}

/* Where the next request begins is not known then. */
static void an_early_answer_is_the_last(void **state)
{
    static const char *const rows[] = {COUNTED, COUNTED "he", CHUNKED, CHUNKED "1\r\na\r\n",
                                       CHUNKED "1\r\na\r\n0\r\n"};

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++, begin_again()) {
        handler.asks = 2;
        fixture_send(client, rows[i]);
        assert_false(handler.has_ended);
        answer("early");
        fixture_send(client, HELLO);
        const char *answers = fixture_received(client, NULL);
        assert_status(answers, "200");
        assert_non_null(strstr(answers, "\r\nConnection: close\r\n"));
        assert_string_equal(strstr(answers, "\r\n\r\n") + 4, "early");
        assert_true(fixture_is_closed(client));
        assert_int_equal(handler.n_gone, 0);
        close(client);
        client = fixture_connect();
    }
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LARGE(name) cmocka_unit_test_setup_teardown(name, set_up_large, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(a_client_that_is_gone_is_not_told_to_continue),
        TEST(too_much_is_refused),
        TEST(malformed_chunks_are_refused),
        TEST(takes_too_long),
        TEST(each_has_its_own_time),
        LARGE(comes_too_slowly),
        LARGE(may_wait_for_the_handler),
        TEST(a_client_that_leaves_is_told),
        TEST(a_client_may_end_behind_its_body),
        TEST(it_ends_with_its_client_if_it_wants_to),
        TEST(an_early_answer_is_the_last),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
