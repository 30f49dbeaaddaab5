/* GET /events of the admin site: who hears what, and until when. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/hub.h"
#include "admin/site.h"
#include "admin_fixture.h"
#include "cluster/slot.h"
#include "http/server.h"
#include "ipc/scoreboard.h"

static void listeners_hear_events_and_the_status(void **state)
{
    struct client client, late;

    (void)state;
    fixture_tell_event(1, 1);
    fixture_ask(&client, GET("/events"));
    fixture_await(&client, "event: event\nid: 1\ndata: {\"seq\":1,\"text\":\"x\"}\n\n");
    assert_non_null(strstr(client.got, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(client.got, "X-Accel-Buffering: no\r\n"));
    assert_non_null(strstr(client.got, "Cache-Control: no-store\r\n"));
    assert_int_equal(fixture_asked(), 1);
    fixture_tell_status(0, 7);
    fixture_await(&client, "event: status\ndata: {\"pid\":7}\n\n");
    fixture_tell_event(2, 1);
    fixture_await(&client, "id: 2\n");
    fixture_ask(&late, "GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1\r\n\r\n");
    fixture_await(&late, "id: 2\n");
    fixture_await(&late, "{\"pid\":7}");
    assert_null(strstr(late.got, "id: 1\n"));
    fixture_hang_up(&client);
    fixture_hang_up(&late);
}

/* A site that has just begun does not know yet what the client has missed. */
static void who_comes_early_misses_nothing(void **state)
{
    static char token[] = FIXTURE_TOKEN;
    struct client client, newcomer;

    (void)state;
    fixture_teardown_site(NULL);
    fixture_start(token);
    fixture_ask(&client, "GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 2\r\n\r\n");
    fixture_ask(&newcomer, GET("/events"));
    for (int seq = 1; seq <= 3; seq++)
        fixture_tell_event(seq, 1);
    fixture_await(&client, "retry: 1000\n\n");
    assert_null(strstr(client.got, "id: "));
    fixture_catch_up();
    fixture_tell_event(4, 1);
    fixture_await(&client, "id: 4\n");
    fixture_await(&newcomer, "id: 4\n");
    assert_null(strstr(client.got, "id: 1\n"));
    assert_null(strstr(client.got, "id: 2\n"));
    assert_non_null(strstr(client.got, "id: 3\n"));
    assert_non_null(strstr(newcomer.got, "id: 1\n"));
    fixture_hang_up(&client);
    fixture_hang_up(&newcomer);
}

/* Something has happened: the next look asks, and nobody has to wait for the time to be over. */
static void a_change_brings_a_new_status(void **state)
{
    struct scoreboard_place place = {.state = SLOT_SERVING, .number = 1, .worker = 1};
    struct client client;

    (void)state;
    fixture_ask(&client, GET("/events"));
    fixture_tell_status(0, 1);
    fixture_await(&client, "{\"pid\":1}");
    scoreboard_set_place(scoreboard_at(fixture_board, 0), &place);
    while (fixture_asked() < 2)
        fixture_wait();
    fixture_tell_status(1, 2);
    fixture_await(&client, "{\"pid\":2}");
    fixture_hang_up(&client);
}

static void there_are_only_so_many_streams(void **state)
{
    static struct client clients[HUB_STREAMS_MAX];

    (void)state;
    for (size_t i = 0; i < HUB_STREAMS_MAX; i++) {
        fixture_ask(&clients[i], GET("/events"));
        fixture_await(&clients[i], "retry: 1000\n\n");
    }
    fixture_expect(GET("/events"), "HTTP/1.1 503 ");
    fixture_hang_up(&clients[7]);
    fixture_tell_event(1, 1); /* writing shows that it is gone */
    fixture_tell_event(2, 1);
    fixture_ask(&clients[7], GET("/events"));
    fixture_await(&clients[7], "retry: 1000\n\n");
    for (size_t i = 0; i < HUB_STREAMS_MAX; i++)
        fixture_hang_up(&clients[i]);
}

/* It is cut off, and nobody else notices. */
static void who_does_not_read_is_cut_off(void **state)
{
    struct client slow, quick;
    ssize_t n;

    (void)state;
    fixture_ask(&slow, GET("/events"));
    fixture_ask(&quick, GET("/events"));
    for (int seq = 1; seq <= 400; seq++) {
        char end[32];
        snprintf(end, sizeof end, "id: %d\n", seq);
        fixture_tell_event(seq, 32768);
        quick.len = 0;
        fixture_await(&quick, end);
    }
    while ((n = recv(slow.fd, slow.got, sizeof slow.got - 1, MSG_DONTWAIT)) != 0) {
        slow.len = n > 0 ? (size_t)n : slow.len;
        fixture_turn();
    }
    slow.got[slow.len] = '\0';
    assert_null(strstr(slow.got, "\r\n0\r\n\r\n")); /* the end is not the end of the stream */
    fixture_hang_up(&slow);
    fixture_hang_up(&quick);
}

static void on_drained(void *arg)
{
    ++*(unsigned *)arg;
}

static void a_drain_ends_streams(void **state)
{
    unsigned n_drained = 0;
    struct http_drain drain = {.done = on_drained, .arg = &n_drained, .stopping = true};
    struct client client;
    char byte;

    (void)state;
    fixture_ask(&client, GET("/events"));
    fixture_await(&client, "retry: 1000\n\n");
    admin_site_drain(fixture_site, &drain);
    fixture_await(&client, "\r\n0\r\n\r\n");
    while (n_drained == 0)
        fixture_wait();
    assert_int_equal(recv(client.fd, &byte, 1, MSG_DONTWAIT), 0);
    close(client.fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_site, fixture_teardown_site)
    static const struct CMUnitTest tests[] = {
        TEST(listeners_hear_events_and_the_status), TEST(who_comes_early_misses_nothing),
        TEST(a_change_brings_a_new_status),         TEST(there_are_only_so_many_streams),
        TEST(who_does_not_read_is_cut_off),         TEST(a_drain_ends_streams),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
