/* How discovery comes to an end: at a stop, for a successor, by a signal. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/address.h"
#include "conf/conf.h"
#include "discovery/directory.h"
#include "base/clock.h"
#include "discovery/discovery.h"
#include "discovery/driver.h"

#include "discovery_fixture.h"

/* The next generation has the directory, and says there what it registers. */
static void hand_over(const char *app, enum directory_state next_state)
{
    struct discovery *before = world.discovery;
    const struct directory_registration own =
        (await(" open0 register-UP follow-api"), await_registered(), look());
    struct directory_registration next = own;
    next.state = next_state;
    next.key += strcmp(app, "app") != 0 ? 2 : 0;
    pid_t pid = fork();
    if (pid == 0) {
        directory_give(world.directory, getpid());
        if (next_state != DIRECTORY_STATES)
            directory_set_registration(world.directory, &next);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    discovery_leave(before, false, on_left, &world);
}

static void a_successor_takes_the_registration_over(void **state)
{
    (void)state;
    make(&world.listener);
    hand_over("app", DIRECTORY_REGISTERED);
    await(" close left");
}

static void what_no_successor_registers_is_deregistered(void **state)
{
    (void)state;
    make(&world.listener);
    hand_over("other", DIRECTORY_REGISTERED);
    await(" report-DOWN deregister-DOWN close left");
}

/* The registry may have one name for both, which is not to be gone in between. */
static void it_deregisters_when_the_successor_has_registered(void **state)
{
    (void)state;
    make(&world.listener);
    int64_t begin_ms = clock_now_ms();
    hand_over("other", DIRECTORY_REGISTERING);
    await(" report-DOWN deregister-DOWN close left");
    assert_true(clock_now_ms() - begin_ms >= world.conf.registry.deregister_timeout_ms);
}

/* It goes when the successor has registered, and not before. */
static void a_successor_is_waited_for(void **state)
{
    (void)state;
    make(&world.listener);
    hand_over("app", DIRECTORY_REGISTERING);
    assert_false(world.has_left);
    await(" close left");
}

static void a_successor_that_says_nothing_is_not_waited_for_long(void **state)
{
    (void)state;
    make(&world.listener);
    hand_over("app", DIRECTORY_STATES);
    await(" close left");
}

static void without_a_registry_from_now_on_it_deregisters(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    await_registered();
    directory_clear(world.directory);
    discovery_leave(world.discovery, false, on_left, &world);
    await(" report-DOWN deregister-DOWN close left");
}

/* What is found for a generation that boots is not told to those who serve. */
static void a_generation_that_boots_only_looks_up(void **state)
{
    static const char *const names[] = {"api"};
    struct member member;
    (void)state;
    directory_set_services(world.directory, names, 1);
    directory_give(world.directory, getpid() + 1);
    make(&world.listener);
    await(" open0 follow-api");
    member_init(&member);
    world.driver.found("api", &member, 1, world.driver.arg);
    assert_true(discovery_is_settled(world.discovery));
    assert_string_equal(world.said, "");
    directory_give(world.directory, getpid());
    await(" api:1 register-UP");
}

static void without_certificates_nothing_is_opened(void **state)
{
    (void)state;
    world.refusal = "no key";
    make(&world.listener);
    assert_true(discovery_is_settled(world.discovery));
    assert_int_equal(look().state, DIRECTORY_RETRYING);
    assert_string_equal(look().error, "no key");
    discovery_leave(world.discovery, true, on_left, &world);
    await(" left");
}

static void who_is_told_by_a_signal_finds_out_why(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    await_registered();
    discovery_leave(world.discovery, false, on_left, &world);
    assert_string_equal(world.said, "");
    world.stopping = true;
    await(" report-DOWN deregister-DOWN close left");
}

/* The master may say first that it leaves, and then who has the directory. */
static void the_directory_may_change_hands_later(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    await_registered();
    discovery_leave(world.discovery, false, on_left, &world);
    directory_clear(world.directory);
    await(" report-DOWN deregister-DOWN close left");
}

static void a_herald_alone_leaves_quietly(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    discovery_leave(world.discovery, false, on_left, &world);
    await(" close left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(a_successor_takes_the_registration_over),
        TEST(what_no_successor_registers_is_deregistered),
        TEST(it_deregisters_when_the_successor_has_registered),
        TEST(a_successor_is_waited_for),
        TEST(a_successor_that_says_nothing_is_not_waited_for_long),
        TEST(without_a_registry_from_now_on_it_deregisters),
        TEST(a_generation_that_boots_only_looks_up),
        TEST(without_certificates_nothing_is_opened),
        TEST(who_is_told_by_a_signal_finds_out_why),
        TEST(the_directory_may_change_hands_later),
        TEST(a_herald_alone_leaves_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
