/*
 * The channel to a peer that does not read: nobody waits, and what has to arrive does so later.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ipc/channel.h"

static const struct message stop = {.type = MESSAGE_STOP};
static const struct message drain = {.type = MESSAGE_DRAIN, .drain = {.delay_ms = 1, .last = 1}};

/* The master's end, full of messages, and the raw descriptor of the worker's end. */
struct test {
    struct event_base *base;
    struct channel *channel;
    int peer;
    int sent;   /* what it is full of */
    int closed; /* how often */
    int error;  /* why */
};

static void on_message(const struct message *message, void *arg)
{
    (void)message;
    (void)arg;
    fail();
}

static void on_closed(int error, void *arg)
{
    struct test *test = arg;

    test->error = error;
    test->closed++;
}

static void fill(struct test *test)
{
    static const struct message level = {.type = MESSAGE_LOG_LEVEL};
    int r;

    while ((r = channel_send(test->channel, &level)) == 0 && test->sent < 1000000)
        test->sent++;
    assert_int_equal(r, -EAGAIN);
    assert_true(test->sent > 0);
}

static int set_up(void **state)
{
    static const struct channel_callbacks callbacks = {on_message, on_closed};
    static struct test test;
    int fds[2];

    test = (struct test){0};
    *state = &test;
    if (channel_pair(fds) != 0)
        return -1;
    test.peer = fds[1];
    test.base = event_base_new();
    if (channel_new(test.base, fds[0], MESSAGE_FROM_WORKER, &callbacks, &test, &test.channel) != 0)
        return -1;
    fill(&test);
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;

    channel_free(test->channel);
    event_base_free(test->base);
    return close(test->peer);
}

static void turn(struct test *test)
{
    assert_true(event_base_loop(test->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

/* Read what is there; returns how many, and the last. */
static int read_all(const struct test *test, struct message *ret_last)
{
    uint8_t frame[MESSAGE_SIZE];
    ssize_t len;
    int n = 0;

    while ((len = recv(test->peer, frame, sizeof(frame), 0)) > 0) {
        assert_int_equal(message_decode(frame, (size_t)len, MESSAGE_FROM_MASTER, ret_last), 0);
        n++;
    }
    return n;
}

static void what_does_not_fit_is_lost(void **state)
{
    struct test *test = *state;
    struct message last;

    assert_int_equal(read_all(test, &last), test->sent);
    turn(test);
    assert_int_equal(read_all(test, &last), 0);
    assert_int_equal(channel_send(test->channel, &stop), 0);
}

static void what_is_kept_comes_when_there_is_room(void **state)
{
    struct test *test = *state;
    struct message last;

    assert_int_equal(channel_send_or_keep(test->channel, &drain), -EAGAIN);
    turn(test);
    assert_int_equal(read_all(test, &last), test->sent);
    turn(test);
    assert_int_equal(read_all(test, &last), 1);
    assert_int_equal(last.type, MESSAGE_DRAIN);
    assert_int_equal(last.drain.delay_ms, 1);
    turn(test);
    assert_int_equal(read_all(test, &last), 0);
}

static void a_later_one_takes_its_place(void **state)
{
    struct test *test = *state;
    struct message last;

    assert_int_equal(channel_send_or_keep(test->channel, &drain), -EAGAIN);
    assert_int_equal(channel_send_or_keep(test->channel, &stop), -EAGAIN);
    assert_int_equal(read_all(test, &last), test->sent);
    turn(test);
    assert_int_equal(read_all(test, &last), 1);
    assert_int_equal(last.type, MESSAGE_STOP);
}

static void one_that_is_sent_at_once_takes_its_place(void **state)
{
    struct test *test = *state;
    struct message last;

    assert_int_equal(channel_send_or_keep(test->channel, &drain), -EAGAIN);
    assert_int_equal(read_all(test, &last), test->sent);
    assert_int_equal(channel_send_or_keep(test->channel, &stop), 0);
    turn(test);
    assert_int_equal(read_all(test, &last), 1);
    assert_int_equal(last.type, MESSAGE_STOP);
}

static void nothing_is_kept_for_a_peer_that_is_gone(void **state)
{
    struct test *test = *state;

    assert_int_equal(channel_send_or_keep(test->channel, &drain), -EAGAIN);
    assert_int_equal(shutdown(test->peer, SHUT_RDWR), 0);
    turn(test);
    turn(test);
    assert_int_equal(test->closed, 1);
    assert_int_equal(test->error, 0);
    assert_int_equal(channel_send_or_keep(test->channel, &stop), -EPIPE);
    assert_int_equal(event_base_get_num_events(test->base, EVENT_BASE_COUNT_ADDED), 0);
}

static void nothing_goes_to_a_peer_that_talks_nonsense(void **state)
{
    struct test *test = *state;
    struct message last;

    assert_int_equal(channel_send_or_keep(test->channel, &drain), -EAGAIN);
    assert_int_equal(send(test->peer, "BRAINS", 6, 0), 6);
    turn(test);
    assert_int_equal(test->closed, 1);
    assert_int_equal(test->error, -EBADMSG);
    assert_int_equal(read_all(test, &last), test->sent);
    turn(test);
    assert_int_equal(read_all(test, &last), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_comes_when_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_one_takes_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_sent_at_once_takes_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_for_a_peer_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_goes_to_a_peer_that_talks_nonsense, set_up,
                                        tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
