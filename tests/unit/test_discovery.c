/*
 * Discovery as a whole, with a driver that does what the test says: which tasks are begun in
 * which session. Real loop, no network.
 */
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
#include "discovery/discovery.h"
#include "discovery/driver.h"

#include "discovery_fixture.h"

/* --- The tests ------------------------------------------------------------------------------ */

static void an_instance_registers_and_leaves(void **state)
{
    (void)state;
    make(&world.listener);
    assert_false(discovery_is_settled(world.discovery));
    await(" open0 register-UP follow-api");
    await_registered();
    assert_string_equal(look().instance_id, "127.0.0.1:app:3000");
    assert_int_equal(look().status, DRIVER_UP);
    assert_string_equal(look().url, "one");
    world.driver.found("api", NULL, 0, world.driver.arg);
    assert_true(discovery_is_settled(world.discovery));
    await(" api:0");
    discovery_leave(world.discovery, true, on_left, &world);
    await(" report-DOWN deregister-DOWN close left");
    assert_int_equal(look().state, DIRECTORY_GONE);
}

static void the_number_of_workers_is_told(void **state)
{
    (void)state;
    world.serving = 0;
    world.conf.registry.down_delay_ms = 1;
    make(&world.listener);
    await(" open0 register-STARTING follow-api");
    world.serving = 2;
    await(" report-UP");
    world.serving = 0;
    await(" report-DOWN");
}

static void the_next_server_is_tried(void **state)
{
    (void)state;
    world.outcome = DRIVER_UNREACHABLE;
    make(&world.listener);
    await_part("open1 register-UP");
    world.outcome = DRIVER_DONE;
    await_registered();
    assert_string_equal(look().error, "");
    assert_int_equal(
        strncmp(world.said, " open0 register-UP follow-api close open1 register-UP", 52), 0);
    assert_true(directory_read_count(world.directory, DIRECTORY_FAILOVERS) >= 1);
    assert_int_equal(directory_read_count(world.directory, DIRECTORY_REGISTRATIONS), 1);
}

static void who_is_forgotten_stays_in_its_session(void **state)
{
    (void)state;
    world.conf.registry.heartbeat_ms = 1;
    make(&world.listener);
    await_part("beat-UP");
    world.outcome = DRIVER_FORGOTTEN;
    world.said[0] = '\0';
    await_part("register-UP");
    world.outcome = DRIVER_DONE;
    assert_null(strstr(world.said, "close"));
    assert_true(directory_read_count(world.directory, DIRECTORY_FORGOTTEN) >= 1);
}

static void a_session_that_breaks_is_opened_anew(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    await_registered();
    world.driver.broken(DRIVER_FORGOTTEN, "expired", world.driver.arg);
    /* What still comes from the old one is passed over. */
    world.driver.found("api", NULL, 0, world.driver.arg);
    await(" close open0 register-UP follow-api");
}

static void without_registration_look_ups_choose_the_server(void **state)
{
    (void)state;
    world.conf.registry.enroll = false;
    make(&world.listener);
    await(" open0 follow-api");
    assert_int_equal(look().state, DIRECTORY_OFF);
    world.driver.lost("api", DRIVER_UNREACHABLE, "nobody", world.driver.arg);
    await(" close open1 follow-api");
    assert_true(discovery_is_settled(world.discovery));
    world.driver.lost("api", DRIVER_REJECTED, "nonsense", world.driver.arg);
    await(" follow-api");
    discovery_leave(world.discovery, true, on_left, &world);
    await(" close left");
}

static void without_a_port_nothing_is_registered(void **state)
{
    (void)state;
    make(NULL);
    await(" open0 follow-api");
}

static void leaving_is_bounded(void **state)
{
    (void)state;
    make(&world.listener);
    await(" open0 register-UP follow-api");
    world.answers = false;
    discovery_leave(world.discovery, true, on_left, &world);
    await(" report-DOWN close left");
}

static void who_never_registered_leaves_at_once(void **state)
{
    (void)state;
    make(&world.listener);
    discovery_leave(world.discovery, true, on_left, &world);
    await(" left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST(an_instance_registers_and_leaves),
        TEST(the_number_of_workers_is_told),
        TEST(the_next_server_is_tried),
        TEST(who_is_forgotten_stays_in_its_session),
        TEST(a_session_that_breaks_is_opened_anew),
        TEST(without_registration_look_ups_choose_the_server),
        TEST(without_a_port_nothing_is_registered),
        TEST(leaving_is_bounded),
        TEST(who_never_registered_leaves_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
