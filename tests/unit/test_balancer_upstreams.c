/*
 * The upstreams of the balancer: they come and go with the configuration, their
 * places are given to others, and another program goes on with them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "balancer_fixture.h"

#define PLACES 4

static struct balancer *balancer;

static int set_up(void **state)
{
    (void)state;
    return balancer_new(PLACES, &balancer);
}

static int tear_down(void **state)
{
    (void)state;
    balancer_free(balancer);
    return 0;
}

static void apply_many(unsigned from, unsigned n, int wanted)
{
    struct conf conf = {.n_upstreams = 0};
    char title[16];

    for (unsigned i = from; i < from + n; i++) {
        (void)snprintf(title, sizeof(title), "u%u", i);
        fixture_add(&conf, title, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1");
    }
    assert_int_equal(balancer_apply(balancer, &conf, 0), wanted);
    fixture_clear(&conf);
}

static void there_are_only_so_many_upstreams(void **state)
{
    struct balancer_upstream *old, *new;
    struct balancer_pick held;

    (void)state;
    apply_many(0, BALANCER_UPSTREAMS + 1, -ENOSPC);
    assert_non_null(balancer_find(balancer, "u63"));
    assert_null(balancer_find(balancer, "u64"));
    old = balancer_find(balancer, "u0");
    held = fixture_choose(old, 0, 0);
    apply_many(1, BALANCER_UPSTREAMS, -ENOSPC); /* u0 is still in use */
    assert_null(balancer_find(balancer, "u0"));
    fixture_finish(old, 0, &held, BALANCER_OK, 0);
    held = fixture_choose(old, 0, 0); /* by a worker of the old configuration */
    assert_int_equal(fixture_look(old, "127.0.0.1:1", 0).requests, 2);
    fixture_finish(old, 0, &held, BALANCER_OK, 0);
    apply_many(1, BALANCER_UPSTREAMS, 0);
    assert_true(fixture_nobody(old, 0));
    fixture_finish(old, 0, &held, BALANCER_OK, 0);
    new = balancer_find(balancer, "u64");
    assert_int_equal(fixture_look(new, "127.0.0.1:1", 0).requests, 0);
    held = fixture_choose(new, 0, 0);
    assert_null(balancer_find(balancer, "u0"));
    apply_many(0, 2, -ENOSPC);
    apply_many(0, 2, -ENOSPC);
    fixture_finish(new, 0, &held, BALANCER_OK, 0);
}

/* A reload that fails is followed by the old configuration. */
static void an_upstream_that_comes_back_is_the_same(void **state)
{
    struct balancer_upstream *upstream;
    struct balancer_pick pick;

    (void)state;
    apply_many(0, 1, 0);
    upstream = balancer_find(balancer, "u0");
    pick = fixture_choose(upstream, 0, 0);
    apply_many(1, 1, 0);
    assert_null(balancer_find(balancer, "u0"));
    apply_many(0, 1, 0);
    assert_ptr_equal(balancer_find(balancer, "u0"), upstream);
    assert_ptr_equal(balancer_at(balancer, 0), upstream);
    assert_null(balancer_at(balancer, 1));
    assert_null(balancer_at(balancer, 63));
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 1);
    fixture_finish(upstream, 0, &pick, BALANCER_OK, 0);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 0);
}

static void what_is_too_long_is_refused(void **state)
{
    struct conf conf = {.n_upstreams = 0};
    char title[BALANCER_TITLE_SIZE + 1];

    (void)state;
    memset(title, 'x', sizeof(title));
    title[BALANCER_TITLE_SIZE] = '\0';
    fixture_add(&conf, title, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1");
    fixture_add(&conf, "server", CONF_BALANCE_ROUND_ROBIN, title);
    fixture_add(&conf, title + 1, CONF_BALANCE_ROUND_ROBIN, title + 1);
    assert_int_equal(balancer_apply(balancer, &conf, 0), -ENAMETOOLONG);
    fixture_clear(&conf);
    assert_null(balancer_find(balancer, title));
    assert_null(balancer_find(balancer, "server"));
    assert_non_null(balancer_find(balancer, title + 1));
}

static void another_program_goes_on_with_it(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1*2 127.0.0.1:2", 0);
    struct balancer *adopted = NULL;
    int fd = dup(balancer_fd(balancer)), other;

    (void)state;
    (void)fixture_choose(upstream, 1, 0);
    assert_int_equal(balancer_adopt(fd, PLACES + 1, &adopted), -EBADF);
    assert_int_equal(balancer_adopt(fd, PLACES, &adopted), 0);
    assert_int_equal(balancer_fd(adopted), fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    upstream = balancer_find(adopted, "u");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 1);
    fixture_assert_sequence(upstream, 0, "21");
    assert_true(balancer_bury(adopted, 1));
    upstream = balancer_find(balancer, "u");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 0);
    other = dup(fd);
    balancer_free(adopted);
    assert_int_equal(pwrite(other, "?", 1, 0), 1); /* another layout */
    assert_int_equal(balancer_adopt(other, PLACES, &adopted), -EBADF);
    assert_int_equal(close(other), 0);
    balancer_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(there_are_only_so_many_upstreams),
        TEST(an_upstream_that_comes_back_is_the_same),
        TEST(what_is_too_long_is_refused),
        TEST(another_program_goes_on_with_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
