/*
 * Roles and the numbers of their slots, and which of them are to be filled.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/role.h"

#define ADMIN_NUMBER  1025
#define HERALD_NUMBER 1026

static struct roll make(unsigned workers, const char *admin_listen)
{
    const struct conf conf = {.admin.listen = (char *)admin_listen};

    return roll_make(&conf, workers);
}

static void numbers_have_roles(void **state)
{
    (void)state;
    assert_int_equal(role_of(1), ROLE_WORKER);
    assert_int_equal(role_of(1024), ROLE_WORKER);
    assert_int_equal(role_of(ADMIN_NUMBER), ROLE_ADMIN);
    assert_int_equal(role_number(ROLE_ADMIN), ADMIN_NUMBER);
    assert_int_equal(role_of(HERALD_NUMBER), ROLE_HERALD);
    assert_int_equal(ROLE_NUMBERS, HERALD_NUMBER);
    for (int role = ROLE_WORKER + 1; role < ROLES; role++)
        assert_int_equal(role_of(role_number((enum role)role)), role);
    assert_string_equal(role_name(ROLE_WORKER), "worker");
    assert_string_equal(role_name(ROLE_ADMIN), "admin");
    assert_string_equal(role_name(ROLE_HERALD), "herald");
}

static void roles_have_names(void **state)
{
    enum role found;

    (void)state;
    for (int role = 0; role < ROLES; role++) {
        assert_int_equal(role_find(role_name((enum role)role), &found), 0);
        assert_int_equal(found, role);
        assert_int_equal(role_absence((enum role)role) != NULL, role != ROLE_WORKER);
    }
    assert_int_equal(role_find("Herald", &found), -EINVAL);
    assert_int_equal(role_find("", &found), -EINVAL);
}

/* There is one when something has to be looked up or checked. */
static void the_herald_comes_with_its_work(void **state)
{
    static const struct {
        bool is_name;
        const char *path;
        bool wanted;
    } cases[] = {{false, "", false}, {true, "", true}, {false, "/h", true}, {true, "/h", true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_server server = {.is_name = cases[i].is_name};
        struct conf_upstream upstream = {
            .servers = &server, .n_servers = 1, .check.path = (char *)cases[i].path};
        const struct conf conf = {
            .admin.listen = (char *)"off", .upstreams = &upstream, .n_upstreams = 1};
        struct roll roll = roll_make(&conf, 2);
        assert_int_equal(roll.roles[ROLE_HERALD], cases[i].wanted);
        assert_int_equal(roll_has(&roll, HERALD_NUMBER), cases[i].wanted);
        assert_int_equal(roll_next(&roll, 2), cases[i].wanted ? HERALD_NUMBER : 0);
        assert_int_equal(roll_count(&roll), cases[i].wanted ? 3 : 2);
    }
}

static void the_roll_follows_the_configuration(void **state)
{
    struct roll roll = make(3, "off");

    (void)state;
    assert_int_equal(roll.workers, 3);
    assert_false(roll.roles[ROLE_ADMIN]);
    assert_int_equal(roll_count(&roll), 3);
    roll = make(3, "127.0.0.1:0");
    assert_true(roll.roles[ROLE_ADMIN]);
    assert_int_equal(roll_count(&roll), 4);
    roll = make(0, "unix:/x");
    assert_int_equal(roll_count(&roll), 1);
    roll = make(0, "off");
    assert_int_equal(roll_count(&roll), 0);
}

/* What roll_next() visits is what roll_has() knows, in order, and nothing else. */
static void visits_what_is_on_it(void **state)
{
    static const struct {
        unsigned workers;
        const char *admin_listen;
    } rolls[] = {{0, "off"},         {1, "off"},    {1024, "off"},
                 {0, "127.0.0.1:0"}, {2, "[::]:1"}, {1024, "127.0.0.1:1"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rolls) / sizeof(rolls[0]); i++) {
        struct roll roll = make(rolls[i].workers, rolls[i].admin_listen);
        unsigned number = 0;

        for (unsigned expected = 1; expected <= ROLE_NUMBERS; expected++) {
            if (!roll_has(&roll, expected))
                continue;
            number = roll_next(&roll, number);
            assert_int_equal(number, expected);
        }
        assert_int_equal(roll_next(&roll, number), 0);
        assert_int_equal(roll_has(&roll, ADMIN_NUMBER), rolls[i].admin_listen[0] != 'o');
        assert_true(rolls[i].workers == 0 || roll_has(&roll, rolls[i].workers));
        assert_false(roll_has(&roll, rolls[i].workers + 1) && rolls[i].workers < 1024);
    }
}

static void has_no_number_outside(void **state)
{
    static const unsigned numbers[] = {0, HERALD_NUMBER, HERALD_NUMBER + 1, 4096, UINT32_MAX};
    struct roll roll = make(1024, "127.0.0.1:0");

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_false(roll_has(&roll, numbers[i]));
}

/* A worker that is to go is followed by no other worker. */
static void goes_on_after_a_number_that_is_not_on_it(void **state)
{
    struct roll roll = make(2, "127.0.0.1:0");

    (void)state;
    assert_int_equal(roll_next(&roll, 2), ADMIN_NUMBER);
    assert_int_equal(roll_next(&roll, 700), ADMIN_NUMBER);
    assert_int_equal(roll_next(&roll, ADMIN_NUMBER), 0);
    roll = make(2, "off");
    assert_int_equal(roll_next(&roll, 700), 0);
    assert_int_equal(roll_next(&roll, ADMIN_NUMBER), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_roles),
        cmocka_unit_test(roles_have_names),
        cmocka_unit_test(the_herald_comes_with_its_work),
        cmocka_unit_test(the_roll_follows_the_configuration),
        cmocka_unit_test(visits_what_is_on_it),
        cmocka_unit_test(has_no_number_outside),
        cmocka_unit_test(goes_on_after_a_number_that_is_not_on_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
