/*
 * Time limits of connections, with a clock that a test moves on.
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

#include "http/limits.h"
#include "http/server_state.h"
#include "server_fixture.h"

#define HOST  "Host: a\r\n"
#define GET   "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define POST  "POST /sink HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n"
#define BEGIN 1000000
#define LIMITS_CONF                                                              \
    "http { keepalive_ms = 1000 header_ms = 2000 body_ms = 30000 send_ms = 4000" \
    " keepalive_total_ms = 0 "

#define ROUTES                                                         \
    FIXTURE_LATER "route \"/hello\" { handler = text body = hello }\n" \
                  "route \"/sink\" { handler = text body = thanks }\n"

static struct http_server *server;
static int64_t now_ms;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_us(void);

int64_t __wrap_clock_now_ms(void)
{
    return now_ms;
}

int64_t __wrap_clock_now_us(void)
{
    return now_ms * 1000;
}

static void serve(const char *conf_text)
{
    now_ms = BEGIN;
    server = fixture_serve(conf_text);
}

static int set_up(void **state)
{
    (void)state;
    serve(LIMITS_CONF "min_rate = 0 }\n" ROUTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return 0;
}

/* The timer rings at that time, whether it was set for it or not. */
static void ring_at(int64_t at_ms)
{
    now_ms = at_ms;
    event_active(server->deadline, EV_TIMEOUT, 0);
    fixture_turn();
}

static const char *answer_of(int client)
{
    return fixture_received(client, NULL);
}

static void idle_connections_are_closed(void **state)
{
    int first = fixture_connect(), second;

    (void)state;
    now_ms += 10;
    second = fixture_connect();
    assert_int_equal(server->deadline_ms, BEGIN + 1000);
    ring_at(BEGIN + 999);
    assert_false(fixture_is_closed(first));
    assert_int_equal(server->deadline_ms, BEGIN + 1000);
    ring_at(BEGIN + 1000);
    assert_true(fixture_is_closed(first));
    assert_false(fixture_is_closed(second));
    assert_int_equal(server->deadline_ms, BEGIN + 1010);
    ring_at(BEGIN + 1010);
    assert_true(fixture_is_closed(second));
    assert_string_equal(answer_of(first), "");
    assert_int_equal(server->deadline_ms, INT64_MAX);
    assert_int_equal(fixture_limit_hits(LIMIT_KEEPALIVE), 2);
    close(first);
    close(second);
}

static void a_request_makes_it_young(void **state)
{
    int client = fixture_connect();

    (void)state;
    now_ms += 900;
    fixture_send(client, GET);
    assert_non_null(strstr(answer_of(client), "200 OK"));
    ring_at(BEGIN + 1899);
    assert_false(fixture_is_closed(client));
    ring_at(BEGIN + 1900);
    assert_true(fixture_is_closed(client));
    close(client);
}

/* Absolute: what arrives meanwhile puts nothing off. */
static void a_head_has_its_time(void **state)
{
    int client = fixture_connect();

    (void)state;
    now_ms += 500;
    fixture_send(client, "GET /hello HTTP/1.1\r\n");
    for (int i = 0; i < 19; i++) {
        ring_at(now_ms + 100);
        fixture_send(client, "X-A: b\r\n");
    }
    ring_at(BEGIN + 500 + 1999);
    assert_string_equal(answer_of(client), "");
    ring_at(BEGIN + 500 + 2000);
    const char *answer = answer_of(client);
    assert_memory_equal(answer, "HTTP/1.1 408 Request Timeout\r\n", 30);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_true(fixture_is_closed(client));
    assert_int_equal(fixture_limit_hits(LIMIT_HEADER_TIME), 1);
    close(client);
}

static void a_body_has_its_time(void **state)
{
    int client = fixture_connect();

    (void)state;
    fixture_send(client, POST);
    for (int i = 0; i < 29; i++) {
        ring_at(now_ms + 1000);
        fixture_send(client, "more");
    }
    ring_at(BEGIN + 29999);
    assert_string_equal(answer_of(client), "");
    ring_at(BEGIN + 30000);
    assert_memory_equal(answer_of(client), "HTTP/1.1 408 Request Timeout\r\n", 30);
    assert_true(fixture_is_closed(client));
    assert_int_equal(fixture_limit_hits(LIMIT_BODY_TIME), 1);
    close(client);
}

/* A handler may take as long as it wants. */
static void an_answer_may_be_long_in_coming(void **state)
{
    int client = fixture_connect();

    (void)state;
    fixture_send(client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    ring_at(BEGIN + 86400000);
    assert_false(fixture_is_closed(client));
    assert_non_null(fixture_newest(CONNECTION_ANSWERING));
    assert_int_equal(server->deadline_ms, INT64_MAX);
    close(client);
}

static char block[1 << 16];
static unsigned overs;

static enum reply_next give_blocks(struct reply_stream *stream, void *arg)
{
    (void)arg;
    return reply_write(stream, block, sizeof block) == 0 ? REPLY_MORE : REPLY_BREAK;
}

static void over(void *arg)
{
    (void)arg;
    overs++;
}

/* A client with an answer without end, of which it has read nothing. */
static int begin_endless(void)
{
    struct reply reply = {.status = 200};
    struct reply_source source = {REPLY_LENGTH_UNKNOWN, give_blocks, over, NULL};
    int client = fixture_connect();

    overs = 0;
    fixture_send(client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    reply_stream(&fixture_newest(CONNECTION_ANSWERING)->request, &reply, &source);
    fixture_turn();
    assert_non_null(fixture_newest(CONNECTION_SENDING));
    /* It is: what the kernel says of its queue has another meaning there. */
    fixture_newest(CONNECTION_SENDING)->peer.storage.ss_family = AF_UNIX;
    return client;
}

static size_t read_some(int client, size_t size)
{
    static char taken[1 << 20];
    ssize_t n = recv(client, taken, size < sizeof taken ? size : sizeof taken, 0);

    fixture_turn();
    return n > 0 ? (size_t)n : 0;
}

/* As long as the client takes something the answer may go on. */
static void a_reader_must_not_stand_still(void **state)
{
    int client = begin_endless();

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(read_some(client, 1 << 17) > 0);
        ring_at(now_ms + 3999);
        assert_int_equal(overs, 0);
    }
    ring_at(now_ms + 4000);
    assert_int_equal(overs, 1);
    assert_null(fixture_newest(CONNECTION_SENDING));
    assert_int_equal(fixture_limit_hits(LIMIT_SEND_TIME), 1);
    close(client);
}

static void a_body_must_not_crawl(void **state)
{
    char text[1025];
    int client;

    (void)state;
    fixture_end();
    serve(LIMITS_CONF "min_rate = 1000 }\n" ROUTES);
    memset(text, 'x', 1024);
    text[1024] = '\0';
    client = fixture_connect();
    fixture_send(client, POST);
    assert_true(server->deadline_ms <= BEGIN + 1000);
    for (int second = 1; second <= 10; second++) {
        fixture_send(client, text);
        ring_at(BEGIN + second * 1000);
        assert_string_equal(answer_of(client), "");
    }
    ring_at(BEGIN + 10999); /* 10240 bytes in 10 seconds */
    assert_string_equal(answer_of(client), "");
    ring_at(BEGIN + 11000);
    assert_memory_equal(answer_of(client), "HTTP/1.1 408 Request Timeout\r\n", 30);
    assert_int_equal(fixture_limit_hits(LIMIT_RATE), 1);
    close(client);
}

/* Nobody is judged before five seconds are over. */
static void starting_takes_its_time(void **state)
{
    int client;

    (void)state;
    fixture_end();
    serve(LIMITS_CONF "min_rate = 1000 }\n" ROUTES);
    client = fixture_connect();
    fixture_send(client, POST);
    ring_at(BEGIN + 4999);
    assert_string_equal(answer_of(client), "");
    ring_at(BEGIN + 5000);
    assert_memory_equal(answer_of(client), "HTTP/1.1 408 Request Timeout\r\n", 30);
    close(client);
}

/* One that is fast enough stands before one that is not. */
static void each_is_judged_by_itself(void **state)
{
    int fast, slow;
    char text[8193];

    (void)state;
    fixture_end();
    serve(LIMITS_CONF "min_rate = 1000 }\n" ROUTES);
    memset(text, 'x', 8192);
    text[8192] = '\0';
    fast = fixture_connect();
    fixture_send(fast, POST);
    fixture_send(fast, text);
    slow = fixture_connect();
    fixture_send(slow, POST);
    ring_at(BEGIN + 5000);
    assert_string_equal(answer_of(fast), "");
    assert_memory_equal(answer_of(slow), "HTTP/1.1 408 Request Timeout\r\n", 30);
    assert_int_equal(fixture_limit_hits(LIMIT_RATE), 1);
    close(fast);
    close(slow);
}

static void a_reader_must_not_crawl(void **state)
{
    int client;

    (void)state;
    fixture_end();
    serve(LIMITS_CONF "min_rate = 1000000 }\n" ROUTES);
    client = begin_endless();
    ring_at(BEGIN + 3000);
    assert_true(read_some(client, 1 << 17) > 0);
    ring_at(BEGIN + 4999);
    assert_int_equal(overs, 0);
    ring_at(BEGIN + 5000);
    assert_int_equal(overs, 1);
    assert_int_equal(fixture_limit_hits(LIMIT_RATE), 1);
    close(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(idle_connections_are_closed),
        TEST(a_request_makes_it_young),
        TEST(a_head_has_its_time),
        TEST(a_body_has_its_time),
        TEST(an_answer_may_be_long_in_coming),
        TEST(a_reader_must_not_stand_still),
        TEST(a_body_must_not_crawl),
        TEST(starting_takes_its_time),
        TEST(each_is_judged_by_itself),
        TEST(a_reader_must_not_crawl),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
