/*
 * Connections to servers: how they come about, and the list of those that wait
 * for a next request.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "proxy/upstream.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define SERVERS 8 /* the most connections of a test */

static struct event_base *base;
static struct upstream upstream;
static struct conf_upstream conf;
static struct balancer_pick pick;
static int listener;
static int servers[SERVERS]; /* their ends, in the order in which they were made */
static size_t n_servers;

static struct {
    unsigned readable;
    unsigned writable;
    unsigned late;
} told;

static void on_readable(void *arg)
{
    told.readable++;
    (void)!backend_watch(arg, false, false);
}

static void on_writable(void *arg)
{
    told.writable++;
    (void)!backend_watch(arg, false, false);
}

static void on_late(void *arg)
{
    (void)arg;
    told.late++;
}

static const struct backend_calls calls = {on_readable, on_writable, on_late};

static void turn(void)
{
    for (int i = 0; i < 3; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

static void start(const struct conf_upstream *settings)
{
    conf = *settings;
    upstream_init(&upstream, base, &conf, NULL);
}

static int set_up(void **state)
{
    static const struct conf_upstream usual = {.keepalive = 3};
    struct sockaddr *any = (struct sockaddr *)&pick.address.storage;
    const char *why;

    (void)state;
    base = event_base_new();
    assert_non_null(base);
    pick = (struct balancer_pick){.peer = 1, .incarnation = 1};
    assert_int_equal(address_parse("127.0.0.1:0", &pick.address, &why), 0);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, any, pick.address.len), 0);
    assert_int_equal(listen(listener, SERVERS), 0);
    assert_int_equal(getsockname(listener, any, &pick.address.len), 0);
    memset(&told, 0, sizeof told);
    n_servers = 0;
    start(&usual);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    upstream_clear(&upstream);
    assert_int_equal(upstream.n_idle, 0);
    while (n_servers > 0)
        close(servers[--n_servers]);
    close(listener);
    event_base_free(base);
    return 0;
}

/* A connection to that peer, in use. */
static struct backend *connect_to(unsigned peer, uint32_t incarnation)
{
    struct balancer_pick to = pick;
    struct backend *backend;
    bool is_connected;

    to.peer = peer;
    to.incarnation = incarnation;
    assert_int_equal(backend_connect(base, &to, &backend, &is_connected), 0);
    assert_true(n_servers < SERVERS);
    servers[n_servers] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(servers[n_servers++] >= 0);
    backend_use(backend, &calls, backend);
    backend->n_requests = 1;
    return backend;
}

static struct backend *take(unsigned peer, uint32_t incarnation)
{
    struct balancer_pick of = pick;
    of.peer = peer;
    of.incarnation = incarnation;
    return upstream_take(&upstream, &of);
}

/* Whether our end of that connection is closed. */
static bool is_closed(size_t server)
{
    char byte;
    turn();
    return recv(servers[server], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* --- One connection ----------------------------------------------------------- */

static void says_when_it_is_connected(void **state)
{
    struct backend *backend;
    bool is_connected;

    (void)state;
    assert_int_equal(backend_connect(base, &pick, &backend, &is_connected), 0);
    assert_int_equal(backend->peer, 1);
    assert_int_equal(backend->n_requests, 0);
    backend_use(backend, &calls, backend);
    assert_int_equal(backend_watch(backend, false, true), 0);
    while (told.writable == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(backend_connected(backend), 0);
    assert_int_equal(told.readable, 0);
    backend_close(backend);
}

static void says_that_nobody_listens(void **state)
{
    struct balancer_pick nobody = pick;
    struct backend *backend;
    bool is_connected;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr *any = (struct sockaddr *)&nobody.address.storage;
    const char *why;

    (void)state;
    assert_int_equal(address_parse("127.0.0.1:0", &nobody.address, &why), 0);
    assert_int_equal(bind(bound, any, nobody.address.len), 0);
    assert_int_equal(getsockname(bound, any, &nobody.address.len), 0);
    int err = backend_connect(base, &nobody, &backend, &is_connected);
    if (err == 0) {
        backend_use(backend, &calls, backend);
        assert_int_equal(backend_watch(backend, false, true), 0);
        while (told.writable == 0)
            event_base_loop(base, EVLOOP_ONCE);
        err = backend_connected(backend);
        backend_close(backend);
    }
    assert_int_equal(err, -ECONNREFUSED);
    close(bound);
}

static void fails_at_once_where_there_is_no_socket(void **state)
{
    struct balancer_pick nowhere = {.peer = 1};
    struct backend *backend = NULL;
    bool is_connected = false;
    const char *why;

    (void)state;
    assert_int_equal(address_parse("unix:/nonexistent/s", &nowhere.address, &why), 0);
    assert_int_equal(backend_connect(base, &nowhere, &backend, &is_connected), -ENOENT);
    assert_null(backend);
    assert_false(is_connected);
}

static void is_told_what_it_watches(void **state)
{
    struct backend *backend = connect_to(1, 1);

    (void)state;
    assert_int_equal(send(servers[0], "x", 1, MSG_NOSIGNAL), 1);
    turn();
    assert_int_equal(told.readable, 0);
    assert_int_equal(backend_watch(backend, true, false), 0);
    while (told.readable == 0)
        event_base_loop(base, EVLOOP_ONCE);
    turn();
    assert_int_equal(told.readable, 1);
    assert_int_equal(told.writable, 0);
    assert_int_equal(backend_watch(backend, false, true), 0);
    turn();
    assert_int_equal(told.writable, 1);
    backend_close(backend);
    backend_close(NULL);
}

static void has_one_time_limit(void **state)
{
    static const struct timeval soon = {0, 1000};
    const struct timeval *limit = event_base_init_common_timeout(base, &soon);
    struct backend *backend = connect_to(1, 1);

    (void)state;
    backend_limit(backend, limit);
    backend_limit(backend, NULL);
    assert_false(event_pending(&backend->timer, EV_TIMEOUT, NULL));
    backend_limit(backend, limit);
    backend_limit(backend, limit);
    while (told.late == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(told.late, 1);
    assert_false(event_pending(&backend->timer, EV_TIMEOUT, NULL));
    backend_close(backend);
}

/* --- Those that wait ---------------------------------------------------------- */

static void the_one_used_last_is_taken_first(void **state)
{
    struct backend *kept[3];

    (void)state;
    for (size_t i = 0; i < LENGTH(kept); i++)
        upstream_keep(&upstream, kept[i] = connect_to(1, 1));
    assert_int_equal(upstream.n_idle, 3);
    for (size_t i = LENGTH(kept); i-- > 0;) {
        assert_ptr_equal(take(1, 1), kept[i]);
        assert_int_equal(upstream.n_idle, i);
    }
    assert_null(take(1, 1));
    for (size_t i = 0; i < LENGTH(kept); i++) {
        assert_false(is_closed(i));
        backend_close(kept[i]);
    }
}

static void no_more_are_kept_than_may_be(void **state)
{
    struct backend *backend;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        upstream_keep(&upstream, connect_to(i % 2, 1));
    assert_int_equal(upstream.n_idle, 3);
    assert_true(is_closed(0));
    for (size_t i = 1; i < 4; i++)
        assert_false(is_closed(i));
    backend = take(1, 1); /* now the one that was used last is another one */
    upstream_keep(&upstream, take(1, 1));
    upstream_keep(&upstream, backend);
    upstream_keep(&upstream, connect_to(0, 1));
    assert_true(is_closed(2));
    assert_false(is_closed(1) || is_closed(3) || is_closed(4));
}

static void only_those_of_the_same_server_are_taken(void **state)
{
    struct backend *ours = connect_to(5, 7);

    (void)state;
    upstream_keep(&upstream, ours);
    upstream_keep(&upstream, connect_to(5, 6));
    assert_null(take(4, 7));
    assert_null(take(5, 8));
    assert_ptr_equal(take(5, 7), ours);
    assert_null(take(5, 7));
    assert_int_equal(upstream.n_idle, 1);
    backend_close(ours);
}

static void none_is_kept_that_may_not_be(void **state)
{
    static const struct {
        struct conf_upstream conf;
        unsigned long n_requests;
        bool kept;
    } rows[] = {
        {{.keepalive = 0}, 1, false},
        {{.keepalive = 1}, 1000000, true},
        {{.keepalive = 1, .keepalive_requests = 5}, 4, true},
        {{.keepalive = 1, .keepalive_requests = 5}, 5, false},
        {{.keepalive = 1, .keepalive_requests = 1}, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct backend *backend = connect_to(1, 1);
        start(&rows[i].conf);
        backend->n_requests = rows[i].n_requests;
        upstream_keep(&upstream, backend);
        assert_int_equal(upstream.n_idle, rows[i].kept);
        assert_int_equal(is_closed(i), !rows[i].kept);
        upstream_clear(&upstream);
        assert_true(is_closed(i));
    }
}

/* A server that closes, or that says what nobody has asked for. */
static void what_comes_while_it_waits_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        upstream_keep(&upstream, connect_to(1, 1));
    assert_int_equal(send(servers[0], "HTTP/1.1 408 T\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    assert_int_equal(shutdown(servers[2], SHUT_WR), 0);
    while (upstream.n_idle > 1)
        event_base_loop(base, EVLOOP_ONCE);
    turn();
    assert_int_equal(upstream.n_idle, 1);
    assert_false(is_closed(1));
    assert_true(is_closed(2));
    assert_int_equal(told.readable, 0);
    backend_close(take(1, 1));
}

static void idleness_has_an_end(void **state)
{
    static const struct conf_upstream soon = {.keepalive = 3, .keepalive_idle_ms = 1};

    (void)state;
    start(&soon);
    upstream_keep(&upstream, connect_to(1, 1));
    while (upstream.n_idle > 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_true(is_closed(0));
    assert_int_equal(told.late, 0);
}

/* The time of a connection that was taken is its user's. */
static void idleness_ends_with_a_request(void **state)
{
    static const struct conf_upstream later = {.keepalive = 3, .keepalive_idle_ms = 3600000};
    struct backend *backend = connect_to(1, 1);

    (void)state;
    start(&later);
    upstream_keep(&upstream, backend);
    assert_true(event_pending(&backend->timer, EV_TIMEOUT, NULL));
    assert_ptr_equal(take(1, 1), backend);
    assert_false(event_pending(&backend->timer, EV_TIMEOUT, NULL));
    backend_use(backend, &calls, backend);
    assert_int_equal(send(servers[0], "x", 1, MSG_NOSIGNAL), 1);
    while (told.readable == 0)
        event_base_loop(base, EVLOOP_ONCE);
    backend_close(backend);
}

static void no_limit_is_none(void **state)
{
    static const struct conf_upstream limits = {
        .keepalive = 1, .connect_timeout_ms = 1500, .read_timeout_ms = 0, .send_timeout_ms = 1};
    struct backend *backend = connect_to(1, 1);

    (void)state;
    start(&limits);
    assert_int_equal(upstream.connect_limit->tv_sec, 1);
    assert_non_null(upstream.send_limit);
    assert_null(upstream.read_limit);
    assert_null(upstream.idle_limit);
    upstream_keep(&upstream, backend);
    assert_false(event_pending(&backend->timer, EV_TIMEOUT, NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(says_when_it_is_connected),
        TEST(says_that_nobody_listens),
        TEST(fails_at_once_where_there_is_no_socket),
        TEST(is_told_what_it_watches),
        TEST(has_one_time_limit),
        TEST(the_one_used_last_is_taken_first),
        TEST(no_more_are_kept_than_may_be),
        TEST(only_those_of_the_same_server_are_taken),
        TEST(none_is_kept_that_may_not_be),
        TEST(what_comes_while_it_waits_ends_it),
        TEST(idleness_has_an_end),
        TEST(idleness_ends_with_a_request),
        TEST(no_limit_is_none),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
