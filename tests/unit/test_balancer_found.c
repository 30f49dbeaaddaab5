/* Servers that a registry names: beside those of the configuration, and through its reloads. */
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

#define NOW 1000

static struct balancer *balancer;
static struct conf conf;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(balancer_new(2, &balancer), 0);
    conf = (struct conf){.n_upstreams = 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_clear(&conf);
    balancer_free(balancer);
    return 0;
}

/* An upstream "u" with from_registry and these servers of its own, words or "". */
static struct balancer_upstream *apply(const char *own)
{
    fixture_clear(&conf);
    fixture_add(&conf, "u", CONF_BALANCE_ROUND_ROBIN, own);
    conf.upstreams[0].from_registry = true;
    assert_int_equal(balancer_apply(balancer, &conf, NOW), 0);
    return balancer_find(balancer, "u");
}

/* The registry names these, as in fixture_add(). */
static int find(struct balancer_upstream *upstream, const char *servers)
{
    struct conf found = {.n_upstreams = 0};
    fixture_add(&found, "found", CONF_BALANCE_ROUND_ROBIN, servers);
    int err =
        balancer_set_found(upstream, found.upstreams[0].servers, found.upstreams[0].n_servers, NOW);
    fixture_clear(&found);
    return err;
}

static void servers_come_and_go(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("");
    assert_true(fixture_nobody(upstream, NOW));
    assert_int_equal(find(upstream, "127.0.0.1:1 127.0.0.1:2"), 0);
    fixture_assert_sequence(upstream, NOW, "1212");
    assert_int_equal(find(upstream, "127.0.0.1:2 127.0.0.1:3*2"), 0);
    assert_string_equal(fixture_look(upstream, "127.0.0.1:1", NOW).server, "");
    assert_int_equal(fixture_look(upstream, "127.0.0.1:3", NOW).weight, 2);
    assert_int_equal(find(upstream, ""), 0);
    assert_true(fixture_nobody(upstream, NOW));
}

static void those_of_the_configuration_stay(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("127.0.0.1:1 127.0.0.1:9!");
    assert_int_equal(find(upstream, "127.0.0.1:2 127.0.0.1:1*7"), 0);
    assert_int_equal(fixture_look(upstream, "127.0.0.1:1", NOW).weight, 1);
    assert_true(fixture_look(upstream, "127.0.0.1:9", NOW).is_backup);
    assert_false(fixture_look(upstream, "127.0.0.1:1", NOW).is_found);
    assert_true(fixture_look(upstream, "127.0.0.1:2", NOW).is_found);
    fixture_assert_sequence(upstream, NOW, "1212");
    assert_int_equal(find(upstream, ""), 0);
    fixture_assert_sequence(upstream, NOW, "11");
}

static void a_reload_keeps_what_was_found(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("127.0.0.1:1");
    assert_int_equal(find(upstream, "127.0.0.1:2 127.0.0.1:3"), 0);
    struct balancer_pick pick = fixture_choose(upstream, 0, NOW);
    fixture_finish(upstream, 0, &pick, BALANCER_FAILED, NOW);
    uint64_t before = fixture_look(upstream, pick.name, NOW).failures;
    upstream = apply("127.0.0.1:3 127.0.0.1:4");
    assert_int_equal(fixture_look(upstream, pick.name, NOW).failures,
                     strcmp(pick.name, "127.0.0.1:1") == 0 ? 0 : before);
    assert_string_equal(fixture_look(upstream, "127.0.0.1:2", NOW).server, "127.0.0.1:2");
    assert_string_equal(fixture_look(upstream, "127.0.0.1:1", NOW).server, "");
    /* What is configured now is not the registry's any more. */
    assert_int_equal(find(upstream, ""), 0);
    assert_string_equal(fixture_look(upstream, "127.0.0.1:3", NOW).server, "127.0.0.1:3");
    assert_string_equal(fixture_look(upstream, "127.0.0.1:2", NOW).server, "");
}

static void without_a_registry_they_are_gone(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("127.0.0.1:1");
    assert_int_equal(find(upstream, "127.0.0.1:2"), 0);
    conf.upstreams[0].from_registry = false;
    assert_int_equal(balancer_apply(balancer, &conf, NOW), 0);
    fixture_assert_sequence(upstream, NOW, "11");
}

static void who_is_drained_stays_drained(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("");
    assert_int_equal(find(upstream, "127.0.0.1:1 127.0.0.1:2"), 0);
    assert_int_equal(balancer_set_drained(upstream, "127.0.0.1:1", true, NOW), 0);
    assert_int_equal(find(upstream, "127.0.0.1:3 127.0.0.1:1 127.0.0.1:2"), 0);
    assert_true(fixture_look(upstream, "127.0.0.1:1", NOW).is_drained);
    assert_false(fixture_look(upstream, "127.0.0.1:3", NOW).is_drained);
}

static void names_are_resolved_like_others(void **state)
{
    (void)state;
    struct balancer_upstream *upstream = apply("");
    assert_int_equal(find(upstream, "one:7"), 0);
    assert_true(fixture_nobody(upstream, NOW));
    assert_int_equal(fixture_resolve(upstream, "one:7", "127.0.0.1:7 127.0.0.2:7", NOW), 0);
    assert_string_equal(fixture_look(upstream, "127.0.0.2:7", NOW).server, "one:7");
    assert_int_equal(find(upstream, "one:7 127.0.0.1:8"), 0);
    assert_string_equal(fixture_look(upstream, "127.0.0.2:7", NOW).server, "one:7");
}

static void too_many_are_cut(void **state)
{
    char text[FIXTURE_SERVERS * 20] = "";
    size_t len = 0;
    (void)state;
    struct balancer_upstream *upstream = apply("127.0.0.1:1");
    for (unsigned i = 0; i < BALANCER_PEERS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "127.0.1.%u:80 ", i);
    assert_int_equal(find(upstream, text), -ENOSPC);
    assert_string_equal(fixture_look(upstream, "127.0.0.1:1", NOW).server, "127.0.0.1:1");
    assert_string_equal(fixture_look(upstream, "127.0.1.5:80", NOW).server, "127.0.1.5:80");
    assert_int_equal(find(upstream, "127.0.1.5:80"), 0);
    assert_string_equal(fixture_look(upstream, "127.0.1.6:80", NOW).server, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(servers_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_of_the_configuration_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_keeps_what_was_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_registry_they_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_drained_stays_drained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_resolved_like_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_are_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
