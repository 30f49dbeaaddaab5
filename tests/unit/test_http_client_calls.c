/*
 * The calls of the HTTP client: how long they take, on which connection, streams, and their end.
 */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <event2/event.h>

#include "http_client_fixture.h"

static void late_answers_are_not_waited_for(void **state)
{
    static char text[4096] = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n";
    static const struct http_peer_answer slow = {.text = text, .is_slow = true}, none = {0};
    struct call_world world;

    (void)state;
    memset(text + strlen(text), 'x', sizeof text - 1 - strlen(text));
    call_set_up(&world);
    for (int is_slow = 0; is_slow < 2; is_slow++) {
        http_peer_say(&world.peer, is_slow ? &slow : &none, 1);
        call_send(&world, false, CALL_SHORT_MS);
        call_run(&world);
        assert_int_equal(world.status, 0);
        assert_string_equal(world.error, "there was no answer within 100 ms");
    }
    text[0] = '\n'; /* no head ever */
    memset(text + 1, '\n', sizeof text - 2);
    http_peer_say(&world.peer, &slow, 1);
    call_send(&world, true, CALL_SHORT_MS);
    call_run(&world);
    assert_int_equal(world.status, 0);
    call_get(&world, &call_good);
    assert_int_equal(world.status, 200);
    call_tear_down(&world);
}

static void connections_are_kept(void **state)
{
    static const struct http_peer_answer last = {
        .text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ngood"};
    static const struct http_peer_answer until_end = {.text = "HTTP/1.1 200 OK\r\n\r\ngood",
                                                      .is_last = true};
    struct call_world world;

    (void)state;
    call_set_up(&world);
    call_get(&world, &call_good);
    assert_int_equal(world.peer.n_accepted, 1);
    call_get(&world, &call_good);
    assert_int_equal(world.peer.n_accepted, 0);
    call_get(&world, &last);
    assert_int_equal(world.peer.n_accepted, 0);
    call_get(&world, &until_end);
    assert_int_equal(world.peer.n_accepted, 1);

    for (int round = 0; round < 2; round++) { /* of 6, 4 are kept */
        http_peer_say(&world.peer, &call_good, 1);
        for (int i = 0; i < 6; i++)
            call_send(&world, false, 0);
        while (world.n_done < 6)
            call_run(&world);
        assert_int_equal(world.peer.n_accepted, round == 0 ? 6 : 2);
    }
    call_tear_down(&world);
}

static void dead_connections_cost_nothing(void **state)
{
    const struct {
        struct http_peer_answer answers[3];
        size_t n_asked, n_accepted;
        int status;
    } cases[] = {
        {{{.is_last = true}, call_good, call_good}, 2, 1, 200},
        {{{.is_last = true}, {.is_last = true}, call_good}, 2, 1, 0},
        {{{.text = "H", .is_last = true}, call_good, call_good}, 1, 0, 0},
    };
    struct call_world world;

    (void)state;
    call_set_up(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        call_get(&world, &call_good);
        http_peer_say(&world.peer, cases[i].answers, 3);
        call_send(&world, false, 0);
        call_run(&world);
        if (world.status != cases[i].status)
            fail_msg("case %zu: %d, \"%s\"", i, world.status, world.error);
        assert_int_equal(world.peer.n_asked, cases[i].n_asked);
        assert_int_equal(world.peer.n_accepted, cases[i].n_accepted);
    }

    /* One that is gone before the next request, which knows or not. */
    for (int knows = 0; knows < 2; knows++) {
        call_get(&world, &call_good);
        http_peer_hang_up(&world.peer);
        for (int i = 0; knows && i < 3; i++)
            event_base_loop(world.base, EVLOOP_NONBLOCK);
        call_get(&world, &call_good);
        assert_int_equal(world.status, 200);
        assert_int_equal(world.peer.n_accepted, 1);
    }
    call_tear_down(&world);
}

static void lines_come_as_they_are(void **state)
{
    static const struct {
        const char *text;
        bool is_last;
        int status;
        const char *lines, *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\na\nbc\r\n\nd", false, 200, "a|bc||d|", ""},
        {"HTTP/1.1 200 OK\r\n\r\na\nbc\n", true, 200, "a|bc|", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n3\r\n\nbc\r\n1\r\n\n\r\n2\r\nd\n\r\n0\r\n\r\n",
         false, 200, "a|bc|d|", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n", true, 0, "a|", ""},
        {"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\na\nb\n", false, 404, "", "a\nb\n"},
    };
    struct call_world world;

    (void)state;
    call_set_up(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_slow = 0; is_slow < 2; is_slow++) {
            const struct http_peer_answer answer = {
                .text = cases[i].text, .is_last = cases[i].is_last, .is_slow = is_slow};
            http_peer_say(&world.peer, &answer, 1);
            call_send(&world, true, 0);
            call_run(&world);
            assert_int_equal(world.status, cases[i].status);
            assert_string_equal(call_text(&world.lines), cases[i].lines);
            assert_string_equal(call_text(&world.body), cases[i].body);
        }
    }
    call_tear_down(&world);
}

static void lines_have_a_limit(void **state)
{
    static char text[CALL_BODY_MAX + 256];
    static const struct http_peer_answer answer = {.text = text, .is_last = true};
    struct call_world world;

    (void)state;
    call_set_up(&world);
    for (size_t more = 0; more < 2; more++) {
        size_t at = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n\r\n1\n");
        memset(text + at, 'x', CALL_BODY_MAX + more);
        memcpy(text + at + CALL_BODY_MAX + more, "\n3\n", 4);
        http_peer_say(&world.peer, &answer, 1);
        call_send(&world, true, 0);
        call_run(&world);
        assert_int_equal(world.status, more == 0 ? 200 : 0);
        assert_int_equal(world.lines.len, more == 0 ? CALL_BODY_MAX + 5 : 2);
    }
    assert_string_equal(world.error, "a line is larger than 100000 bytes");
    call_tear_down(&world);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static void streams_have_no_deadline(void **state)
{
    static const struct http_peer_answer begun = {.text = "HTTP/1.1 200 OK\r\n\r\n1\n"};
    static const struct timeval wait = {.tv_usec = (CALL_SHORT_MS + 50) * 1000};
    struct call_world world;

    (void)state;
    call_set_up(&world);
    http_peer_say(&world.peer, &begun, 1);
    call_send(&world, true, 10 * CALL_SHORT_MS);
    while (world.lines.len == 0)
        event_base_loop(world.base, EVLOOP_ONCE);
    for (int i = 0; i < 10; i++) {
        event_base_once(world.base, -1, EV_TIMEOUT, on_timer, world.base, &wait);
        call_run(&world);
    }
    assert_int_equal(world.n_done, 0);
    assert_string_equal(call_text(&world.lines), "1|");
    http_peer_hang_up(&world.peer);
    call_run(&world);
    assert_int_equal(world.status, 200);
    call_tear_down(&world);
}

static void cancelled_calls_are_silent(void **state)
{
    static const struct http_peer_answer lines = {
        .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "4\r\n1\n2\n\r\n2\r\n3\n\r\n0\r\n\r\n"};
    struct call_world world;

    (void)state;
    call_set_up(&world);
    http_peer_say(&world.peer, &lines, 1);
    http_client_cancel(call_send(&world, false, 0));
    world.call = call_send(&world, true, 0);
    call_run(&world);
    world.call = NULL;
    for (int i = 0; i < 5; i++)
        event_base_loop(world.base, EVLOOP_NONBLOCK);
    assert_int_equal(world.n_done, 0);
    assert_string_equal(call_text(&world.lines), "1|");

    /* At each turn of the loop, or by the end of the client. */
    for (int turns = 0; turns < 12; turns++) {
        struct http_client_call *call = call_send(&world, false, 0);
        for (int i = 0; i < turns && world.n_done == 0; i++)
            event_base_loop(world.base, EVLOOP_NONBLOCK);
        if (world.n_done == 0)
            http_client_cancel(call);
    }
    for (int i = 0; i < 5; i++)
        call_send(&world, i % 2 == 0, 0);
    event_base_loop(world.base, EVLOOP_ONCE);
    call_tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_are_not_waited_for),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(dead_connections_cost_nothing),
        cmocka_unit_test(lines_come_as_they_are),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(streams_have_no_deadline),
        cmocka_unit_test(cancelled_calls_are_silent),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
