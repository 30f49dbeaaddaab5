/*
 * The balancer in one process: choosing and finishing, members that come and
 * go, and what those see who look.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

/* All addresses, in the order of the list. */
static void assert_members(struct balancer_upstream *upstream, const char *wanted)
{
    static struct balancer_view views[BALANCER_PEERS];
    size_t n = balancer_list(upstream, 0, views, BALANCER_PEERS);
    char got[4096] = "";

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            strcat(got, " ");
        strcat(got, views[i].name);
    }
    assert_string_equal(got, wanted);
}

static void chooses_as_the_rules_say(void **state)
{
    struct balancer_upstream *upstream;
    char title[BALANCER_TITLE_SIZE];

    (void)state;
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN,
                             "127.0.0.1:1*5 127.0.0.1:2 127.0.0.1:3", 0);
    fixture_assert_sequence(upstream, 1000, "1121311");
    assert_int_equal(balancer_method(upstream), CONF_BALANCE_ROUND_ROBIN);
    balancer_title(upstream, title);
    assert_string_equal(title, "u");
    assert_int_equal(balancer_repairs(upstream), 0);
}

static void counts_connections_of_all_places(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_LEAST_CONN, "127.0.0.1:1 unix:/2", 0);
    struct balancer_pick first = fixture_choose(upstream, 0, 0),
                         second = fixture_choose(upstream, 1, 0);
    struct balancer_pick third = fixture_choose(upstream, 1, 0);
    struct balancer_view view;

    (void)state;
    assert_string_equal(first.name, "127.0.0.1:1");
    assert_string_equal(second.name, "unix:/2");
    assert_int_equal(address_port(&first.address), 1);
    assert_int_equal(first.began_us, 0);
    assert_string_equal(third.name, "unix:/2");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 1);
    assert_int_equal(fixture_look(upstream, "unix:/2", 0).connections, 2);
    fixture_finish(upstream, 0, &first, BALANCER_OK, 0);
    fixture_finish(upstream, 1, &third, BALANCER_CANCELLED, 0);
    fixture_finish(upstream, 1, &second, BALANCER_FAILED, 7000);
    view = fixture_look(upstream, "unix:/2", 7000);
    assert_int_equal(view.connections, 0);
    assert_int_equal(view.requests, 2);
    assert_int_equal(view.failures, 1);
    assert_int_equal(view.error_ms, 7000);
    assert_int_equal(view.state, PEER_FAILED);
    assert_string_equal(peer_state_name(view.state), "failed");
    view = fixture_look(upstream, "127.0.0.1:1", 7000);
    assert_int_equal(view.connections, 0);
    assert_int_equal(view.requests, 1);
    assert_int_equal(view.state, PEER_UP);
}

static void the_dead_are_buried(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1", 0);
    struct balancer_pick pick, late;

    (void)state;
    (void)fixture_choose(upstream, 0, 0);
    pick = fixture_choose(upstream, 2, 0);
    late = fixture_choose(upstream, 2, 0);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 3);
    fixture_finish(upstream, 2, &pick, BALANCER_OK, 0);
    assert_true(balancer_bury(balancer, 2));
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 1);
    fixture_finish(upstream, 2, &late, BALANCER_FAILED, 0); /* it was not dead at all */
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 1);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).failures, 0);
    assert_true(balancer_bury(balancer, 3));
    assert_true(balancer_bury(balancer, 0));
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).connections, 0);
}

static void a_place_that_is_none_is_refused(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1", 0);
    struct peer_set tried = {{0}};
    struct balancer_pick pick;

    (void)state;
    assert_int_equal(balancer_choose(upstream, PLACES, &tried, NULL, 0, &pick), -EINVAL);
}

static void survivors_keep_their_state(void **state)
{
    struct balancer_upstream *upstream = fixture_apply(
        balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1*5 127.0.0.1:2 127.0.0.1:3 127.0.0.1:4", 0);
    struct balancer_pick held = fixture_choose(upstream, 0, 50000), failed;

    (void)state;
    (void)fixture_choose(upstream, 0, 50000);
    failed = fixture_choose(upstream, 0, 50000);
    assert_string_equal(failed.name, "127.0.0.1:2");
    fixture_finish(upstream, 0, &failed, BALANCER_FAILED, 50000);
    upstream = fixture_apply(balancer, CONF_BALANCE_LEAST_CONN,
                             "127.0.0.1:5 127.0.0.1:2*3 127.0.0.1:1*5", 51000);
    assert_members(upstream, "127.0.0.1:5 127.0.0.1:2 127.0.0.1:1");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 51000).connections, 2);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:2", 51000).state, PEER_FAILED);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:2", 51000).weight, 3);
    assert_int_equal(balancer_method(upstream), CONF_BALANCE_LEAST_CONN);
    fixture_finish(upstream, 0, &held, BALANCER_OK, 51000);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 51000).connections, 1);
    fixture_assert_sequence(upstream, 51000, "55");
}

/* Whoever returns is another process, maybe: no failures; but its sums only rise. */
static void who_comes_back_is_forgiven(void **state)
{
    static const char both[] = "127.0.0.1:1 127.0.0.1:2";
    struct balancer_upstream *upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, both, 0);
    struct balancer_pick pick = fixture_choose(upstream, 0, 1000),
                         held = fixture_choose(upstream, 0, 1000);
    struct balancer_view view;

    (void)state;
    fixture_finish(upstream, 0, &pick, BALANCER_FAILED, 1000);
    held = fixture_choose(upstream, 0, 1000);
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:3", 1000);
    assert_members(upstream, "127.0.0.1:3");
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, both, 1000);
    view = fixture_look(upstream, pick.name, 1000);
    assert_int_equal(view.incarnation, pick.incarnation);
    assert_int_equal(view.state, PEER_UP);
    assert_int_equal(view.failures, 1);
    view = fixture_look(upstream, held.name, 1000);
    assert_int_equal(view.connections, 2);
    fixture_finish(upstream, 0, &held, BALANCER_OK, 1000);
    assert_int_equal(fixture_look(upstream, held.name, 1000).connections, 1);
}

/* Until all places of an upstream are used, nobody gets one that was another's. */
static void fill_peers(struct balancer_upstream *upstream, unsigned n)
{
    char name[32];

    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "10.0.%u.%u:80", i / 256, i % 256);
        assert_int_equal(fixture_resolve(upstream, "app:80", name, 1000), 0);
        assert_members(upstream, name);
    }
}

static void a_late_finish_does_not_hurt_the_successor(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "app:80", 0);
    struct balancer_pick late, held;
    struct balancer_view view;

    (void)state;
    assert_int_equal(fixture_resolve(upstream, "app:80", "192.0.2.1:80", 1000), 0);
    late = fixture_choose(upstream, 1, 1000);
    fill_peers(upstream, BALANCER_PEERS - 1);
    fill_peers(upstream, BALANCER_PEERS + 1); /* the index is still in use */
    assert_true(balancer_bury(balancer, 1));
    for (unsigned i = 0; i < 2 * BALANCER_PEERS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "10.9.%u.%u:80", i / 256, i % 256);
        assert_int_equal(fixture_resolve(upstream, "app:80", name, 1000), 0);
        held = fixture_choose(upstream, 1, 1000);
        if (held.peer == late.peer)
            break;
        fixture_finish(upstream, 1, &held, BALANCER_OK, 1000);
    }
    assert_int_equal(held.peer, late.peer);
    assert_int_not_equal(held.incarnation, late.incarnation);
    fixture_finish(upstream, 1, &late, BALANCER_FAILED, 1000);
    view = fixture_look(upstream, held.name, 1000);
    assert_int_equal(view.connections, 1);
    assert_int_equal(view.failures, 0);
    fixture_finish(upstream, 1, &held, BALANCER_OK, 1000);
    assert_int_equal(fixture_look(upstream, held.name, 1000).connections, 0);
}

static void names_stand_for_several(void **state)
{
    struct balancer_upstream *upstream = fixture_apply(
        balancer, CONF_BALANCE_ROUND_ROBIN, "app:80*2 127.0.0.1:9 db:81! db:81 db:82", 0);
    struct balancer_pick pick;

    (void)state;
    assert_members(upstream, "127.0.0.1:9");
    assert_int_equal(fixture_resolve(upstream, "nobody:80", "10.0.0.1:80", 1000), -ENOENT);
    assert_int_equal(fixture_resolve(upstream, "127.0.0.1:9", "10.0.0.1:80", 1000), -ENOENT);
    assert_int_equal(
        fixture_resolve(upstream, "app:80", "10.0.0.2:80 10.0.0.1:80 10.0.0.2:80", 1000), 0);
    assert_int_equal(fixture_resolve(upstream, "db:81", "10.0.0.2:80 [::1]:81", 1000), 0);
    assert_members(upstream, "10.0.0.1:80 10.0.0.2:80 127.0.0.1:9 10.0.0.2:80 [::1]:81 "
                             "10.0.0.2:80 [::1]:81");
    assert_int_equal(fixture_look(upstream, "10.0.0.1:80", 1000).weight, 2);
    assert_string_equal(fixture_look(upstream, "10.0.0.1:80", 1000).server, "app:80");
    pick = fixture_choose(upstream, 0, 1000);
    fixture_finish(upstream, 0, &pick, BALANCER_FAILED, 1000);
    assert_int_equal(fixture_resolve(upstream, "app:80", "10.0.0.3:80 10.0.0.1:80", 1000), 0);
    assert_int_equal(fixture_resolve(upstream, "db:81", "", 1000), 0);
    assert_members(upstream, "10.0.0.1:80 10.0.0.3:80 127.0.0.1:9");
    assert_int_equal(fixture_look(upstream, pick.name, 1000).state, PEER_FAILED);
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:9 new:1 app:80", 1000);
    assert_members(upstream, "127.0.0.1:9 10.0.0.1:80 10.0.0.3:80");
    assert_int_equal(fixture_look(upstream, pick.name, 1000).state, PEER_FAILED);
}

static void more_addresses_than_fit_are_said(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "app:80 unix:/x", 0);
    char addresses[FIXTURE_SERVERS * 20] = "";

    (void)state;
    for (unsigned i = 0; i < BALANCER_PEERS; i++)
        (void)snprintf(addresses + strlen(addresses), 20, "10.0.0.%u:80 ", i);
    assert_int_equal(fixture_resolve(upstream, "app:80", addresses, 0), -ENOSPC);
    assert_string_equal(fixture_look(upstream, "10.0.0.99:80", 0).server, "app:80");
    assert_int_equal(fixture_resolve(upstream, "app:80", "10.0.0.1:80", 0), 0);
    assert_members(upstream, "10.0.0.1:80 unix:/x");
}

static void drained_ones_get_nothing(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1 app:80~", 0);

    (void)state;
    assert_int_equal(fixture_resolve(upstream, "app:80", "10.0.0.1:8 10.0.0.1:9", 1000), 0);
    assert_int_equal(balancer_set_drained(upstream, "127.0.0.1:7", true, 1000), -ENOENT);
    assert_int_equal(balancer_set_drained(upstream, "127.0.0.1:1", true, 1000), 0);
    assert_int_equal(balancer_set_drained(upstream, "10.0.0.1:9", true, 1000), 0);
    fixture_assert_sequence(upstream, 1000, "888");
    assert_int_equal(balancer_set_drained(upstream, "app:80", true, 1000), 0);
    assert_true(fixture_nobody(upstream, 1000));
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "app:80~ 127.0.0.1:1", 1000);
    assert_int_equal(fixture_resolve(upstream, "app:80", "10.0.0.1:8 10.0.0.1:7", 1000), 0);
    assert_true(fixture_nobody(upstream, 1000));
    assert_true(fixture_look(upstream, "10.0.0.1:7", 1000).is_drained);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 1000).state, PEER_DRAINED);
    assert_int_equal(balancer_set_drained(upstream, "app:80", false, 20000), 0);
    assert_int_equal(balancer_set_drained(upstream, "127.0.0.1:1", false, 20000), 0);
    fixture_assert_sequence(upstream, 20000, "1111"); /* the others start slowly */
}

static void checks_take_out_and_in(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1 127.0.0.1:2", 0);
    struct balancer_view view = fixture_look(upstream, "127.0.0.1:1", 0);

    (void)state;
    assert_int_equal(balancer_set_health(upstream, view.peer, view.incarnation, false, 0), 0);
    assert_int_equal(balancer_set_health(upstream, view.peer, view.incarnation + 1, true, 0),
                     -ENOENT);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 0).state, PEER_UNHEALTHY);
    fixture_assert_sequence(upstream, 0, "22");
    assert_int_equal(balancer_set_health(upstream, view.peer, view.incarnation, true, 0), 0);
    fixture_assert_sequence(upstream, 0, "12");
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:2", 0);
    assert_int_equal(balancer_set_health(upstream, view.peer, view.incarnation, false, 0), -ENOENT);
}

static void newcomers_may_start_slowly(void **state)
{
    struct balancer_upstream *upstream =
        fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1~ 127.0.0.1:2~-", 1000);

    (void)state;
    fixture_assert_sequence(upstream, 1000, "11"); /* there is nobody else */
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN,
                             "127.0.0.1:1~ 127.0.0.1:2~ 127.0.0.1:3~ 127.0.0.1:4", 20000);
    fixture_assert_sequence(upstream, 20000, "14141414");
    fixture_assert_sequence(upstream, 30000, "2314");
}

static void slow_answers_eject(void **state)
{
    struct conf conf = {.n_upstreams = 0};
    struct balancer_upstream *upstream;

    (void)state;
    fixture_add(&conf, "u", CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1 127.0.0.1:2 127.0.0.1:3");
    conf.upstreams[0].eject_latency = 5;
    assert_int_equal(balancer_apply(balancer, &conf, 0), 0);
    fixture_clear(&conf);
    upstream = balancer_find(balancer, "u");
    for (unsigned i = 0; i < 3 * PEER_LATENCY_SAMPLES; i++) {
        struct balancer_pick pick = fixture_choose(upstream, 0, 1000);
        bool is_slow = strcmp(pick.name, "127.0.0.1:3") == 0;

        balancer_done(upstream, 0, &pick, BALANCER_OK, 1000, is_slow ? 60000 : 10000);
    }
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", 1000).latency_us, 10000);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:3", 1000).state, PEER_EJECTED);
    fixture_assert_sequence(upstream, 1000, "1212");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:3", 11000).state, PEER_UP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(chooses_as_the_rules_say),
        TEST(counts_connections_of_all_places),
        TEST(the_dead_are_buried),
        TEST(a_place_that_is_none_is_refused),
        TEST(survivors_keep_their_state),
        TEST(who_comes_back_is_forgiven),
        TEST(a_late_finish_does_not_hurt_the_successor),
        TEST(names_stand_for_several),
        TEST(more_addresses_than_fit_are_said),
        TEST(drained_ones_get_nothing),
        TEST(checks_take_out_and_in),
        TEST(newcomers_may_start_slowly),
        TEST(slow_answers_eject),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
