/*
 * The channel over a socketpair: what arrives, what ends it, and what a
 * callback may do to it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ipc/channel.h"

#define NOT_CLOSED 1 /* no -errno and not the 0 of end of file */

/* A master's channel, the raw descriptor of its worker, and what the callbacks saw. */
struct test {
    struct event_base *base;
    struct channel *channel;
    int peer;
    int messages;
    struct message last;
    int closed;       /* how often */
    int error;        /* of the last time */
    int free_message; /* free the channel in the n-th message, */
    bool free_closed; /* or when it is closed */
};

static void free_channel(struct test *test)
{
    channel_free(test->channel);
    test->channel = NULL;
}

static void on_message(const struct message *message, void *arg)
{
    struct test *test = arg;

    test->last = *message;
    if (++test->messages == test->free_message)
        free_channel(test);
}

static void on_closed(int error, void *arg)
{
    struct test *test = arg;

    test->error = error;
    test->closed++;
    if (test->free_closed)
        free_channel(test);
}

static int set_up(void **state)
{
    static const struct channel_callbacks callbacks = {on_message, on_closed};
    static struct test test;
    int fds[2];

    test = (struct test){.error = NOT_CLOSED};
    *state = &test;
    if (channel_pair(fds) != 0)
        return -1;
    test.peer = fds[1];
    test.base = event_base_new();
    return channel_new(test.base, fds[0], MESSAGE_FROM_WORKER, &callbacks, &test, &test.channel);
}

static int tear_down(void **state)
{
    struct test *test = *state;

    channel_free(test->channel);
    event_base_free(test->base);
    if (test->peer >= 0)
        (void)close(test->peer);
    return 0;
}

static void turn(struct test *test)
{
    assert_true(event_base_loop(test->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void hang_up(struct test *test)
{
    assert_int_equal(close(test->peer), 0);
    test->peer = -1;
}

/* What a worker would send: READY with a number to know it by. */
static void say(struct test *test, uint32_t number)
{
    struct message message = {.type = MESSAGE_READY, .ready = {number}};
    uint8_t frame[MESSAGE_SIZE];
    size_t len = message_encode(&message, frame);

    assert_int_equal(send(test->peer, frame, len, 0), len);
}

static void check(const struct test *test, int messages, int closed, int error)
{
    assert_int_equal(test->messages, messages);
    assert_int_equal(test->closed, closed);
    assert_int_equal(test->error, error);
}

static void makes_pairs(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(channel_pair(fds), 0);
    for (int i = 0; i < 2; i++) {
        int type = 0;
        socklen_t size = sizeof(type);

        assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &size), 0);
        assert_int_equal(type, SOCK_SEQPACKET);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_int_equal(close(fds[i]), 0);
    }
}

static void delivers_in_order(void **state)
{
    struct test *test = *state;

    turn(test);
    check(test, 0, 0, NOT_CLOSED);
    for (uint32_t i = 1; i <= 3; i++) {
        say(test, i);
        turn(test);
        check(test, (int)i, 0, NOT_CLOSED);
        assert_int_equal(test->last.type, MESSAGE_READY);
        assert_int_equal(test->last.ready.listeners, i);
    }
}

static void sends_frames(void **state)
{
    static const struct message stop = {.type = MESSAGE_STOP};
    struct test *test = *state;
    uint8_t frame[2 * MESSAGE_SIZE];
    struct message message;
    ssize_t n;

    assert_int_equal(channel_send(test->channel, &stop), 0);
    n = recv(test->peer, frame, sizeof(frame), 0);
    assert_true(n > 0);
    assert_int_equal(message_decode(frame, (size_t)n, MESSAGE_FROM_MASTER, &message), 0);
    assert_int_equal(message.type, MESSAGE_STOP);
    assert_int_equal(fcntl(test->peer, F_GETFD), FD_CLOEXEC);
}

static void tells_the_end_once(void **state)
{
    struct test *test = *state;

    say(test, 1);
    hang_up(test);
    turn(test);
    turn(test);
    check(test, 1, 1, 0);
    channel_flush(test->channel);
    check(test, 1, 1, 0);
}

/* One turn is not for one peer alone. */
static void takes_a_limited_number_a_turn(void **state)
{
    struct test *test = *state;
    int sent = 0;

    for (; sent < 100; sent++)
        say(test, 1);
    turn(test);
    assert_in_range(test->messages, 1, 99);
    for (int i = 0; i < 100; i++)
        turn(test);
    check(test, 100, 0, NOT_CLOSED);
}

static void flush_delivers_all(void **state)
{
    struct test *test = *state;

    for (uint32_t i = 1; i <= 100; i++)
        say(test, i);
    channel_flush(test->channel);
    check(test, 100, 0, NOT_CLOSED);
    assert_int_equal(test->last.ready.listeners, 100);
    say(test, 101);
    hang_up(test);
    channel_flush(test->channel);
    check(test, 101, 1, 0);
}

/*
 * A peer that dies with our message unread resets the connection (unix(7)),
 * and the reset comes before what it said; its last words count all the same.
 */
static void flush_delivers_the_words_before_a_reset(void **state)
{
    static const struct message drain = {.type = MESSAGE_DRAIN, .drain = {0, 0, 1}};
    struct test *test = *state;

    assert_int_equal(channel_send(test->channel, &drain), 0);
    say(test, 1);
    say(test, 2);
    hang_up(test);
    channel_flush(test->channel);
    assert_int_equal(test->closed, 1);
    assert_int_equal(test->messages, 2);
}

static void the_loop_delivers_the_words_before_a_reset(void **state)
{
    static const struct message drain = {.type = MESSAGE_DRAIN, .drain = {0, 0, 1}};
    struct test *test = *state;

    assert_int_equal(channel_send(test->channel, &drain), 0);
    say(test, 1);
    hang_up(test);
    turn(test);
    turn(test);
    assert_int_equal(test->closed, 1);
    assert_int_equal(test->messages, 1);
}

/* Each spoils the channel for good: what comes behind is not read. */
static void refuses_bad_frames(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        uint8_t bytes[2 * MESSAGE_SIZE];
    } frames[] = {
        {"garbage", 3, {'a', 'b', 'c'}},
        {"from a master", 8, {'Z', 'S', 1, MESSAGE_STOP}},
        {"too short", 11, {'Z', 'S', 1, MESSAGE_READY, 0, 0, 0, 4}},
        {"too long", 13, {'Z', 'S', 1, MESSAGE_READY, 0, 0, 0, 4}},
        {"oversize by one", MESSAGE_SIZE + 1, {'Z', 'S', 1, MESSAGE_READY, 0, 0, 0, 249}},
        {"oversize", 2 * MESSAGE_SIZE, {'Z', 'S', 1, MESSAGE_READY, 0, 0, 0, 4}},
    };

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct test *test = *state;

        say(test, 1);
        assert_int_equal(send(test->peer, frames[i].bytes, frames[i].len, 0), frames[i].len);
        say(test, 2);
        turn(test);
        turn(test);
        channel_flush(test->channel);
        if (test->messages != 1 || test->closed != 1 || test->error != -EBADMSG)
            fail_msg("%s: %d messages, closed %d times, %d", frames[i].name, test->messages,
                     test->closed, test->error);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void does_not_wait_for_a_peer_that_does_not_read(void **state)
{
    static const struct message stop = {.type = MESSAGE_STOP};
    struct test *test = *state;
    uint8_t frame[MESSAGE_SIZE];
    int sent = 0, r;

    while ((r = channel_send(test->channel, &stop)) == 0 && sent < 1000000)
        sent++;
    assert_int_equal(r, -EAGAIN);
    assert_true(sent > 0);
    assert_true(recv(test->peer, frame, sizeof(frame), 0) > 0);
    while (recv(test->peer, frame, sizeof(frame), 0) > 0)
        continue;
    assert_int_equal(channel_send(test->channel, &stop), 0);
    check(test, 0, 0, NOT_CLOSED);
}

/* No SIGPIPE either. */
static void says_that_the_peer_is_gone(void **state)
{
    static const struct message stop = {.type = MESSAGE_STOP};
    struct test *test = *state;

    hang_up(test);
    assert_int_equal(channel_send(test->channel, &stop), -EPIPE);
}

static void may_be_freed_in_a_message(void **state)
{
    struct test *test = *state;

    test->free_message = 2;
    for (uint32_t i = 1; i <= 5; i++)
        say(test, i);
    turn(test);
    turn(test);
    check(test, 2, 0, NOT_CLOSED);
    assert_null(test->channel);
    assert_int_equal(send(test->peer, "x", 1, MSG_NOSIGNAL), -1);
}

static void may_be_freed_in_a_message_of_a_flush(void **state)
{
    struct test *test = *state;

    test->free_message = 2;
    for (uint32_t i = 1; i <= 5; i++)
        say(test, i);
    channel_flush(test->channel);
    check(test, 2, 0, NOT_CLOSED);
    assert_null(test->channel);
}

static void may_be_freed_when_closed(void **state)
{
    struct test *test = *state;

    test->free_closed = true;
    hang_up(test);
    turn(test);
    turn(test);
    check(test, 0, 1, 0);
    assert_null(test->channel);
}

static void may_be_freed_when_closed_in_a_flush(void **state)
{
    struct test *test = *state;

    test->free_closed = true;
    assert_int_equal(send(test->peer, "bad", 3, 0), 3);
    channel_flush(test->channel);
    check(test, 0, 1, -EBADMSG);
    assert_null(test->channel);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_pairs),
        cmocka_unit_test_setup_teardown(delivers_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_the_end_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_a_limited_number_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flush_delivers_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flush_delivers_the_words_before_a_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_loop_delivers_the_words_before_a_reset, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_not_wait_for_a_peer_that_does_not_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_that_the_peer_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_in_a_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_in_a_message_of_a_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_when_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_when_closed_in_a_flush, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
