/*
 * Orders about servers of upstreams while somebody has the lock: the master
 * does not wait, and nothing is lost.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balancer_fixture.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "commands_fixture.h"
#include "proxy/balancer_state.h"

#define BOTH "{'upstream':'u','server':'10.0.0.1:80'}"

static struct master master;
static struct conf conf;
static struct balancer_upstream *upstream;

static int set_up(void **state)
{
    master = (struct master){.conf = &conf};
    fixture_add(&conf, "u", CONF_BALANCE_ROUND_ROBIN, "10.0.0.1:80 10.0.0.2:80");
    assert_int_equal(balancer_new(2, &master.balancer), 0);
    assert_int_equal(balancer_apply(master.balancer, &conf, 1000), 0);
    upstream = balancer_find(master.balancer, "u");
    return fixture_setup_commands(state);
}

static int tear_down(void **state)
{
    (void)state;
    balancer_free(master.balancer);
    fixture_clear(&conf);
    conf = (struct conf){.n_upstreams = 0};
    return 0;
}

static bool is_drained(void)
{
    return fixture_look(upstream, "10.0.0.1:80", 1000).is_drained;
}

/* Begin while the lock is held, and look again before and after it is free. */
static void order(const char *name)
{
    struct operation operation = fixture_ask_text(name, BOTH);
    bool before = is_drained();

    operation.master = &master;
    atomic_store(&upstream->shared->lock, 1); /* a worker has it */
    assert_int_equal(operation.command->begin(&operation, 1000), OPERATION_GOES_ON);
    assert_int_equal(operation.command->go_on(&operation, 1000), OPERATION_GOES_ON);
    assert_true(commands_need_looks(&operation));
    assert_int_equal(fixture_answers, 0);
    assert_int_equal(master.journal.added, before ? 1 : 0);
    atomic_store(&upstream->shared->lock, 0);
    assert_int_equal(is_drained(), before);
    assert_int_equal(operation.command->go_on(&operation, 1000), OPERATION_OVER);
    assert_int_equal(fixture_error, CONTROL_ERRORS);
    assert_int_equal(is_drained(), !before);
}

static void nothing_waits_for_the_lock(void **state)
{
    (void)state;
    order("upstream-drain");
    order("upstream-undrain");
    assert_int_equal(master.journal.added, 2);
    assert_int_equal(master.journal.entries[0].kind, JOURNAL_UPSTREAM);
    assert_string_equal(master.journal.entries[0].text, "server 10.0.0.1:80 of u is drained");
    assert_string_equal(master.journal.entries[1].text, "server 10.0.0.1:80 of u is undrained");
}

/* One that is undrained, but does not get requests all the same. */
static void says_what_else_is_the_matter(void **state)
{
    struct operation operation = fixture_ask_text("upstream-undrain", BOTH);
    struct balancer_view view = fixture_look(upstream, "10.0.0.1:80", 1000);

    (void)state;
    operation.master = &master;
    assert_int_equal(balancer_set_health(upstream, view.peer, view.incarnation, false, 1000), 0);
    assert_int_equal(operation.command->begin(&operation, 1000), OPERATION_OVER);
    assert_string_equal(fixture_text, "10.0.0.1:80 of u is undrained, but unhealthy");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_waits_for_the_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_else_is_the_matter, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
