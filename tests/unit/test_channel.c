/*
 * The channel over a socketpair: what arrives, what ends it, and what a
 * callback may do to it.
 */
#include "config.h"

#include <dirent.h>
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
#define MAX_ALONG  8 /* descriptors that one packet of a test brings along */

/* One end's channel, the raw descriptor of the other end, and what the callbacks saw. */
struct test {
    struct event_base *base;
    struct channel *channel;
    int peer;
    int messages;
    struct message last;
    int open;         /* descriptors of this process when the last one came */
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

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        n++;
    (void)closedir(folder);
    return n;
}

static void on_message(const struct message *message, void *arg)
{
    struct test *test = arg;

    test->last = *message;
    test->open = count_descriptors();
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

static const struct channel_callbacks callbacks = {on_message, on_closed};

static int set_up_end(void **state, enum message_sender peer)
{
    static struct test test;
    int fds[2];

    test = (struct test){.error = NOT_CLOSED};
    *state = &test;
    if (channel_pair(fds) != 0)
        return -1;
    test.peer = fds[1];
    test.base = event_base_new();
    return channel_new(test.base, fds[0], peer, &callbacks, &test, &test.channel);
}

static int set_up(void **state)
{
    return set_up_end(state, MESSAGE_FROM_WORKER);
}

static int set_up_worker(void **state)
{
    return set_up_end(state, MESSAGE_FROM_MASTER);
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
    static const struct message drain = {.type = MESSAGE_DRAIN, .drain = {.last = 1}};
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
    static const struct message drain = {.type = MESSAGE_DRAIN, .drain = {.last = 1}};
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
        {"from a master", 8, {'Z', 'S', 2, MESSAGE_STOP}},
        {"too short", 11, {'Z', 'S', 2, MESSAGE_READY, 0, 0, 0, 4}},
        {"too long", 13, {'Z', 'S', 2, MESSAGE_READY, 0, 0, 0, 4}},
        {"oversize by one", MESSAGE_SIZE + 1, {'Z', 'S', 2, MESSAGE_READY, 0, 0, 0, 249}},
        {"oversize", 2 * MESSAGE_SIZE, {'Z', 'S', 2, MESSAGE_READY, 0, 0, 0, 4}},
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

/* Have the other end send this with n duplicates of a descriptor beside it (unix(7)). */
static void send_along(struct test *test, const uint8_t *frame, size_t len, size_t n)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MAX_ALONG * sizeof(int))];
    } room = {.header = {.cmsg_len = CMSG_LEN(n * sizeof(int)),
                         .cmsg_level = SOL_SOCKET,
                         .cmsg_type = SCM_RIGHTS}};
    struct iovec bytes = {(void *)frame, len};
    struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};

    for (size_t i = 0; i < n; i++)
        memcpy(CMSG_DATA(&room.header) + i * sizeof(int), &test->peer, sizeof(int));
    if (n > 0) {
        packet.msg_control = room.bytes;
        packet.msg_controllen = CMSG_SPACE(n * sizeof(int));
    }
    assert_int_equal(sendmsg(test->peer, &packet, 0), len);
}

/* Whoever has been told where the log is may write there, for as long as it likes. */
static void a_log_brings_its_descriptor(void **state)
{
    struct test *test = *state;
    struct channel *master;
    int fds[2], fd, peer = test->peer;
    char byte;

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(channel_new(test->base, peer, MESSAGE_FROM_WORKER, &callbacks, test, &master),
                     0);
    test->peer = -1;
    assert_int_equal(channel_fd(master), peer);
    assert_int_equal(channel_send(master, &(struct message){.type = MESSAGE_LOG, .log = {fds[1]}}),
                     0);
    assert_int_equal(close(fds[1]), 0);
    test->free_message = 1;
    turn(test);
    check(test, 1, 0, NOT_CLOSED);
    assert_int_equal(test->last.type, MESSAGE_LOG);
    fd = test->last.log.fd;
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(read(fds[0], &byte, 1), 0); /* nobody else holds it */
    assert_int_equal(close(fds[0]), 0);
    channel_free(master);
}

/*
 * Only LOG has a place for a descriptor, and for one. A master never holds
 * what a worker sends along, so that none can use up the master's.
 */
static void no_descriptor_leaks(void **state)
{
    static const struct {
        uint8_t type; /* 0: of a bad frame */
        uint8_t payload;
        size_t along;
    } cases[] = {{MESSAGE_LOG, 0, 0},
                 {MESSAGE_LOG, 0, 1},
                 {MESSAGE_LOG, 0, 2},
                 {MESSAGE_LOG, 0, MAX_ALONG},
                 {MESSAGE_STOP, 0, 1},
                 {MESSAGE_STOP, 0, 2},
                 {0, 0, 1},
                 {MESSAGE_READY, 4, 1},
                 {MESSAGE_READY, 4, 2}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t frame[12] = {'Z', 'S', 2, cases[i].type, 0, 0, 0, cases[i].payload};
        bool is_log = cases[i].type == MESSAGE_LOG, is_good = cases[i].type != 0;
        bool is_worker = cases[i].type != MESSAGE_READY;
        struct test *test = *state;
        int before;

        assert_int_equal(tear_down(state), 0);
        assert_int_equal(is_worker ? set_up_worker(state) : set_up(state), 0);
        before = count_descriptors();
        send_along(test, frame, 8U + cases[i].payload, cases[i].along);
        turn(test);
        check(test, is_good, !is_good, is_good ? NOT_CLOSED : -EBADMSG);
        if (is_log && cases[i].along <= 1)
            assert_int_equal(test->last.log.fd >= 0, cases[i].along);
        if (is_log && test->last.log.fd >= 0)
            assert_int_equal(close(test->last.log.fd), 0);
        if (count_descriptors() != before || (!is_worker && test->open != before))
            fail_msg("type %d, %zu along: %d descriptors, now %d", cases[i].type, cases[i].along,
                     before, count_descriptors());
    }
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
        cmocka_unit_test_setup_teardown(says_that_the_peer_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_brings_its_descriptor, set_up_worker, tear_down),
        cmocka_unit_test_setup_teardown(no_descriptor_leaks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_in_a_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_in_a_message_of_a_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_when_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_freed_when_closed_in_a_flush, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
