/*
 * Requests whose handler waits for something else (request_suspend()): when it
 * is told that nobody waits for the answer any more, and when it is not.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "http/reply.h"
#include "http/request.h"
#include "http/server_state.h"
#include "server_fixture.h"

#define GET "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

#define CONF                                                               \
    FIXTURE_LATER                                                          \
    "route \"/soon\" { handler = text delay_ms = 3600000 timeout_ms = 1\n" \
    "                  timeout_text = \"too late\" }\n"

static struct http_server *server;
static int client;
static struct http_request *suspended;
static unsigned n_gone;
static int is_ours; /* the arg */

int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request));

static void on_gone(struct http_request *request, void *arg)
{
    assert_ptr_equal(request, suspended);
    assert_ptr_equal(arg, &is_ours);
    assert_ptr_equal(request_suspended(request), &is_ours);
    assert_non_null(strstr(request_path(request), "/")); /* it can still be read */
    n_gone++;
}

/* The handler that would wait for an hour waits for us. */
int __wrap_request_wait(struct http_request *request, int64_t delay_ms,
                        void (*then)(struct http_request *request))
{
    (void)delay_ms;
    (void)then;
    suspended = request;
    request_suspend(request, on_gone, &is_ours);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    server = fixture_serve(CONF);
    client = fixture_connect();
    suspended = NULL;
    n_gone = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (server != NULL)
        fixture_end();
    server = NULL;
    return client >= 0 ? close(client) : 0;
}

static void answer(const char *text)
{
    struct reply reply = {.status = 200, .type = "text/plain", .body = text, .len = strlen(text)};
    reply_send(suspended, &reply);
    fixture_turn();
}

static const char *body(void)
{
    const char *end = strstr(fixture_received(client, NULL), "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

static void is_answered_when_it_is_time(void **state)
{
    (void)state;
    fixture_send(client, GET);
    assert_string_equal(fixture_received(client, NULL), "");
    answer("one");
    assert_string_equal(body(), "one");
    fixture_send(client, GET);
    answer("two");
    assert_string_equal(body(), "two");
    assert_int_equal(n_gone, 0);
}

/* The answer closes the connection, and lets the next request begin: both outside the loop. */
static void the_answer_may_be_the_last_one(void **state)
{
    (void)state;
    fixture_send(client, "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answer("last");
    assert_string_equal(body(), "last");
    assert_true(fixture_is_closed(client));
    assert_int_equal(server->n_connections, 0);
    assert_int_equal(n_gone, 0);
}

static void those_behind_it_wait(void **state)
{
    (void)state;
    fixture_send(client, GET GET "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    answer("one");
    assert_string_equal(body(), "one");
    answer("two");
    assert_non_null(strstr(fixture_received(client, NULL), "Hello from a zombie."));
    assert_int_equal(n_gone, 0);
}

static void a_reset_is_told(void **state)
{
    struct connection *connection;

    (void)state;
    fixture_send(client, GET);
    connection = fixture_newest(CONNECTION_ANSWERING);
    assert_non_null(connection);
    connection_close(connection);
    assert_int_equal(n_gone, 1);
    fixture_turn();
    assert_int_equal(n_gone, 1);
}

/* It may have only said that it sends no more. */
static void the_end_of_requests_is_no_end(void **state)
{
    (void)state;
    fixture_send(client, GET);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    fixture_turn();
    assert_int_equal(n_gone, 0);
    answer("still");
    assert_string_equal(body(), "still");
    assert_true(fixture_is_closed(client));
}

static void the_timeout_answers_instead(void **state)
{
    (void)state;
    fixture_send(client, "GET /soon HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(suspended);
    while (n_gone == 0)
        event_base_loop(server->settings.base, EVLOOP_ONCE);
    assert_int_equal(n_gone, 1);
    const char *text = fixture_received(client, NULL);
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    assert_string_equal(strstr(text, "\r\n\r\n") + 4, "too late");
    assert_null(fixture_newest(CONNECTION_ANSWERING));
    fixture_send(client, GET); /* the connection goes on */
    answer("next");
    assert_string_equal(body(), "next");
    assert_int_equal(n_gone, 1);
}

static void the_end_of_the_server_is_told(void **state)
{
    (void)state;
    fixture_send(client, GET);
    fixture_end();
    server = NULL;
    assert_int_equal(n_gone, 1);
}

static enum reply_next more(struct reply_stream *stream, void *arg)
{
    (void)arg;
    return reply_write(stream, "piece", 5) == 0 ? REPLY_WAIT : REPLY_BREAK;
}

static void count_over(void *arg)
{
    ++*(unsigned *)arg;
}

/* From there on the stream's `over` says so. */
static void who_has_begun_to_answer_is_not_told(void **state)
{
    struct reply reply = {.status = 200, .type = "text/plain"};
    unsigned n_over = 0;
    struct reply_source source = {REPLY_LENGTH_UNKNOWN, more, count_over, &n_over};

    (void)state;
    fixture_send(client, GET);
    reply_stream(suspended, &reply, &source);
    connection_close(fixture_newest(CONNECTION_ANSWERING));
    assert_int_equal(n_over, 1);
    assert_int_equal(n_gone, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(is_answered_when_it_is_time),   TEST(the_answer_may_be_the_last_one),
        TEST(those_behind_it_wait),          TEST(a_reset_is_told),
        TEST(the_end_of_requests_is_no_end), TEST(the_timeout_answers_instead),
        TEST(the_end_of_the_server_is_told), TEST(who_has_begun_to_answer_is_not_told),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
