/*
 * Orders as they are understood: which commands there are and who
 * may give them.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "commands_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- Commands ------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool for_all; /* for the admin child as well */
    enum command_patience patience;
    const char *arguments;
} commands[] = {
    {"ping", true, COMMAND_AT_ONCE, ""},
    {"version", true, COMMAND_AT_ONCE, ""},
    {"status", true, COMMAND_AT_ONCE, ""},
    {"config", false, COMMAND_AT_ONCE, ""},
    {"events", true, COMMAND_AT_ONCE, "follow,since,"},
    {"logs", false, COMMAND_AT_ONCE, "follow,since,worker,lines,"},
    {"scale", true, COMMAND_WITHOUT_CHANGES, "to,by,"},
    {"restart", true, COMMAND_WITHOUT_CHANGES, "slot,"},
    {"drain", false, COMMAND_WITHOUT_CHANGES, "slot,"},
    {"kill", true, COMMAND_WHILE_RUNNING, "slot,signal,chaos,"},
    {"upstream-drain", false, COMMAND_WHILE_RUNNING, "upstream,server,wait,"},
    {"upstream-undrain", false, COMMAND_WHILE_RUNNING, "upstream,server,"},
    {"reload", false, COMMAND_WHILE_RUNNING, ""},
    {"upgrade", false, COMMAND_WHILE_RUNNING, ""},
    {"stop", false, COMMAND_AT_ONCE, "fast,"},
    {"reopen-logs", false, COMMAND_AT_ONCE, ""},
    {"log-level", false, COMMAND_AT_ONCE, "level,"},
};

/* A good value of each. */
static const struct {
    const char *key;
    const char *object;
} arguments[] = {
    {"slot,", "{'slot':1}"},
    {"to,", "{'to':1}"},
    {"by,", "{'by':1}"},
    {"signal,", "{'signal':'TERM'}"},
    {"level,", "{'level':'info'}"},
    {"chaos,", "{'chaos':true}"},
    {"fast,", "{'fast':true}"},
    {"follow,", "{'follow':true}"},
    {"since,", "{'since':1}"},
    {"worker,", "{'worker':1}"},
    {"lines,", "{'lines':1}"},
    {"wait,", "{'wait':true}"},
    {"upstream,", "{'upstream':'a'}"},
    {"server,", "{'server':'a'}"},
};

static void knows_its_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++) {
        struct operation operation = fixture_ask_text(commands[i].name, "{}");

        assert_true(fixture_understood(&operation));
        assert_string_equal(operation.command->name, commands[i].name);
        assert_int_equal(operation.command->patience, commands[i].patience);
        assert_non_null(operation.command->begin);
        assert_false(operation.begun);
    }
}

static void knows_no_others(void **state)
{
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"", "there is no command ''"},
        {"Ping", "there is no command 'Ping'"},
        {"pin", "there is no command 'pin'"},
        {"ping ", "there is no command 'ping '"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "there is no command '012345678901234567890123456789012345678901234567890123456789'"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct operation operation = fixture_ask_text(cases[i].name, "{'slot':1}");

        assert_false(fixture_understood(&operation));
        assert_int_equal(fixture_error, CONTROL_UNKNOWN_COMMAND);
        assert_string_equal(fixture_text, cases[i].text);
    }
}

static void the_admin_child_may_less(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++) {
        struct operation operation;
        char expected[64];

        fixture_by_admin = true;
        operation = fixture_ask_text(commands[i].name, "{}");
        assert_int_equal(fixture_understood(&operation), commands[i].for_all);
        if (commands[i].for_all)
            continue;
        (void)snprintf(expected, sizeof(expected), "%s is for zombiectl only", commands[i].name);
        assert_int_equal(fixture_error, CONTROL_NOT_ALLOWED);
        assert_string_equal(fixture_text, expected);
    }
}

/* Each command with each argument. */
static void takes_its_own_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++)
        for (size_t j = 0; j < LENGTH(arguments); j++) {
            bool is_its_own = strstr(commands[i].arguments, arguments[j].key) != NULL;
            struct operation operation = fixture_ask_text(commands[i].name, arguments[j].object);

            if (fixture_understood(&operation) != is_its_own)
                fail_msg("%s %s: %s", commands[i].name, arguments[j].object, fixture_text);
            if (!is_its_own)
                assert_int_equal(fixture_error, CONTROL_BAD_REQUEST);
        }
}

static void takes_no_others(void **state)
{
    static const struct {
        const char *command;
        const char *object;
        const char *text;
    } cases[] = {
        {"ping", "{'':1}", "ping takes no argument ''"},
        {"kill", "{'':1}", "kill takes no argument ''"},
        {"kill", "{' ':1}", "kill takes no argument ' '"},
        {"kill", "{'slo':1}", "kill takes no argument 'slo'"},
        {"kill", "{'lot':1}", "kill takes no argument 'lot'"},
        {"kill", "{'slot ':1}", "kill takes no argument 'slot '"},
        {"kill", "{' slot':1}", "kill takes no argument ' slot'"},
        {"kill", "{'slot signal':1}", "kill takes no argument 'slot signal'"},
        {"kill", "{'Slot':1}", "kill takes no argument 'Slot'"},
        {"kill", "{'slot':1,'signal':'TERM','x':null}", "kill takes no argument 'x'"},
        {"scale", "{'by':1,'b':1}", "scale takes no argument 'b'"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct operation operation = fixture_ask_text(cases[i].command, cases[i].object);

        assert_false(fixture_understood(&operation));
        assert_int_equal(fixture_error, CONTROL_BAD_REQUEST);
        assert_string_equal(fixture_text, cases[i].text);
    }
}

/* --- The rest of its life ------------------------------------------------------- */

static void says_what_needs_looks(void **state)
{
    struct operation operation = fixture_ask_text("logs", "{}");

    (void)state;
    assert_false(commands_need_looks(&operation));
    operation.looks = true;
    assert_true(commands_need_looks(&operation));
    operation.looks = false;
    operation.deadline_ms = 0;
    assert_true(commands_need_looks(&operation));
}

static void ends_with_the_instance(void **state)
{
    struct operation operation = fixture_ask_text("events", "{'follow':true}");

    (void)state;
    commands_conclude(&operation);
    assert_int_equal(fixture_answers, 1);
    assert_int_equal(fixture_error, CONTROL_FAILED);
    assert_string_equal(fixture_text, "the instance has stopped");
    assert_null(operation.request);
}

static void a_stop_says_what_it_has_cost(void **state)
{
    static const struct {
        struct toll toll;
        const char *cost;
    } rows[] = {
        {{0, 0}, ""},
        {{1, 0}, "; 1 worker was killed, not finished in time"},
        {{2, 1}, "; 2 workers were killed, not finished in time, 1 connection was cut"},
        {{0, 7}, "; 7 connections were cut"},
    };
    static struct master master;
    char said[200];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct operation operation = fixture_ask_text("stop", "{}");

        operation.master = &master;
        master.toll = rows[i].toll;
        commands_conclude(&operation);
        assert_int_equal(fixture_error, CONTROL_ERRORS);
        (void)snprintf(said, sizeof(said), "stopped%s{\"connections\": %d, \"killed\": %d}",
                       rows[i].cost, (int)rows[i].toll.connections, (int)rows[i].toll.killed);
        assert_string_equal(fixture_text, said);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(knows_its_commands, fixture_setup_commands),
        cmocka_unit_test_setup(knows_no_others, fixture_setup_commands),
        cmocka_unit_test_setup(the_admin_child_may_less, fixture_setup_commands),
        cmocka_unit_test_setup(takes_its_own_arguments, fixture_setup_commands),
        cmocka_unit_test_setup(takes_no_others, fixture_setup_commands),
        cmocka_unit_test_setup(says_what_needs_looks, fixture_setup_commands),
        cmocka_unit_test_setup(ends_with_the_instance, fixture_setup_commands),
        cmocka_unit_test_setup(a_stop_says_what_it_has_cost, fixture_setup_commands),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
