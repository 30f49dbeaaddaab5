/*
 * Orders as they are understood: which commands there are, who may give them,
 * and what each of their arguments may be.
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

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- The control server, as far as commands see it ------------------------------ */

__attribute__((format(printf, 3, 4))) void __wrap_control_fail(struct control_request *request,
                                                               enum control_error error,
                                                               const char *format, ...);
void __wrap_control_succeed(struct control_request *request, const char *text, json_t *result);

static bool by_admin;
static int n_answers;
static enum control_error answer_error; /* CONTROL_ERRORS: it has succeeded */
static char answer_text[400];           /* and the result, if there is one */

void __wrap_control_fail(struct control_request *request, enum control_error error,
                         const char *format, ...)
{
    va_list args;

    assert_non_null(request);
    n_answers++;
    answer_error = error;
    va_start(args, format);
    (void)vsnprintf(answer_text, sizeof(answer_text), format, args);
    va_end(args);
}

void __wrap_control_succeed(struct control_request *request, const char *text, json_t *result)
{
    char *dumped = result != NULL ? json_dumps(result, JSON_SORT_KEYS) : NULL;

    assert_non_null(request);
    n_answers++;
    answer_error = CONTROL_ERRORS;
    (void)snprintf(answer_text, sizeof(answer_text), "%s%s", text, dumped != NULL ? dumped : "");
    free(dumped);
    json_decref(result);
}

static struct operation ask(const char *command, const json_t *arguments)
{
    static char request; /* of which nobody knows more than where it is */
    struct operation operation = {.request = (struct control_request *)(void *)&request,
                                  .by_admin = by_admin,
                                  .deadline_ms = INT64_MAX};
    enum operation_state state;

    n_answers = 0;
    answer_error = CONTROL_ERRORS;
    state = commands_understand(&operation, command, arguments);
    assert_int_equal(n_answers, state == OPERATION_OVER);
    assert_int_equal(operation.request == NULL, state == OPERATION_OVER);
    return operation;
}

/* The same of a text with ' for ". */
static struct operation ask_text(const char *command, const char *text)
{
    char copy[256];
    struct operation operation;
    json_t *arguments;

    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    arguments = json_loads(copy, 0, NULL);
    assert_non_null(arguments);
    operation = ask(command, arguments);
    json_decref(arguments);
    return operation;
}

static bool was_understood(const struct operation *operation)
{
    return operation->request != NULL;
}

static int set_up(void **state)
{
    (void)state;
    by_admin = false;
    return 0;
}

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
};

static void knows_its_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++) {
        struct operation operation = ask_text(commands[i].name, "{}");

        assert_true(was_understood(&operation));
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
        struct operation operation = ask_text(cases[i].name, "{'slot':1}");

        assert_false(was_understood(&operation));
        assert_int_equal(answer_error, CONTROL_UNKNOWN_COMMAND);
        assert_string_equal(answer_text, cases[i].text);
    }
}

static void the_admin_child_may_less(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++) {
        struct operation operation;
        char expected[64];

        by_admin = true;
        operation = ask_text(commands[i].name, "{}");
        assert_int_equal(was_understood(&operation), commands[i].for_all);
        if (commands[i].for_all)
            continue;
        (void)snprintf(expected, sizeof(expected), "%s is for zombiectl only", commands[i].name);
        assert_int_equal(answer_error, CONTROL_NOT_ALLOWED);
        assert_string_equal(answer_text, expected);
    }
}

/* Each command with each argument. */
static void takes_its_own_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(commands); i++)
        for (size_t j = 0; j < LENGTH(arguments); j++) {
            bool is_its_own = strstr(commands[i].arguments, arguments[j].key) != NULL;
            struct operation operation = ask_text(commands[i].name, arguments[j].object);

            if (was_understood(&operation) != is_its_own)
                fail_msg("%s %s: %s", commands[i].name, arguments[j].object, answer_text);
            if (!is_its_own)
                assert_int_equal(answer_error, CONTROL_BAD_REQUEST);
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
        struct operation operation = ask_text(cases[i].command, cases[i].object);

        assert_false(was_understood(&operation));
        assert_int_equal(answer_error, CONTROL_BAD_REQUEST);
        assert_string_equal(answer_text, cases[i].text);
    }
}

/* --- Values --------------------------------------------------------------------- */

static void has_values_of_its_own(void **state)
{
    struct operation operation = ask_text("kill", "{}");

    (void)state;
    assert_int_equal(operation.arguments.slot, 0);
    assert_int_equal(operation.arguments.signal, 9);
    assert_false(operation.arguments.chaos);
    operation = ask_text("logs", "{}");
    assert_int_equal(operation.arguments.lines, 50);
    assert_false(operation.arguments.has_worker);
    assert_false(operation.arguments.follow);
    operation = ask_text("events", "{}");
    assert_int_equal(operation.arguments.since, 0);
    operation = ask_text("log-level", "{}");
    assert_true(operation.arguments.level < 0);
    operation = ask_text("scale", "{}");
    assert_false(operation.arguments.has_to);
    assert_false(operation.arguments.has_by);
    operation = ask_text("stop", "{}");
    assert_false(operation.arguments.fast);
}

static void reads_several_at_once(void **state)
{
    struct operation operation = ask_text("kill", "{'chaos':true,'signal':'sigterm','slot':7}");

    (void)state;
    assert_int_equal(operation.arguments.slot, 7);
    assert_int_equal(operation.arguments.signal, 15);
    assert_true(operation.arguments.chaos);
    operation = ask_text("logs", "{'follow':true,'worker':0,'lines':0}");
    assert_true(operation.arguments.follow);
    assert_true(operation.arguments.has_worker);
    assert_int_equal(operation.arguments.worker, 0);
    assert_int_equal(operation.arguments.lines, 0);
    operation = ask_text("scale", "{'to':3,'by':-2}");
    assert_true(operation.arguments.has_to && operation.arguments.has_by);
    assert_int_equal(operation.arguments.to, 3);
    assert_int_equal(operation.arguments.by, -2);
}

#define AT(member) offsetof(struct command_arguments, member)
#define GOOD(command, key, kind, at, json, value)     \
    {                                                 \
        command, key, kind, AT(at), json, value, NULL \
    }
#define BAD(command, key, json, wanted)       \
    {                                         \
        command, key, 'i', 0, json, 0, wanted \
    }
#define NUMBER "a whole number from "
#define SLOT   "the number of a slot, or \"admin\""
#define SIGNAL "the name of a signal, such as \"KILL\""
#define LEVEL  "\"error\", \"warning\", \"info\" or \"debug\""
#define BOOL   "true or false"

static const struct value {
    const char *command;
    const char *key;
    char kind; /* of the member: i int64_t, u unsigned, b bool */
    size_t offset;
    const char *json; /* with ' for " */
    int64_t value;
    const char *wanted; /* NULL: it is good */
} values[] = {
    GOOD("kill", "slot", 'u', slot, "1", 1),
    GOOD("kill", "slot", 'u', slot, "1024", 1024),
    GOOD("restart", "slot", 'u', slot, "'admin'", 1025),
    BAD("kill", "slot", "0", SLOT),
    BAD("kill", "slot", "-1", SLOT),
    BAD("kill", "slot", "1025", SLOT),
    BAD("kill", "slot", "4294967297", SLOT),
    BAD("kill", "slot", "1.0", SLOT),
    BAD("kill", "slot", "'1'", SLOT),
    BAD("kill", "slot", "'worker'", SLOT),
    BAD("kill", "slot", "'Admin'", SLOT),
    BAD("kill", "slot", "''", SLOT),
    BAD("kill", "slot", "null", SLOT),
    BAD("kill", "slot", "true", SLOT),
    BAD("kill", "slot", "[1]", SLOT),
    BAD("restart", "slot", "{}", SLOT),
    GOOD("scale", "to", 'i', to, "0", 0),
    GOOD("scale", "to", 'i', to, "1000000", 1000000),
    GOOD("scale", "to", 'i', to, "-1000000", -1000000),
    BAD("scale", "to", "1000001", NUMBER "-1000000 to 1000000"),
    BAD("scale", "to", "-1000001", NUMBER "-1000000 to 1000000"),
    BAD("scale", "to", "2.5", NUMBER "-1000000 to 1000000"),
    BAD("scale", "to", "'2'", NUMBER "-1000000 to 1000000"),
    BAD("scale", "to", "null", NUMBER "-1000000 to 1000000"),
    GOOD("scale", "by", 'i', by, "-3", -3),
    GOOD("scale", "by", 'b', has_by, "0", 1),
    GOOD("scale", "to", 'b', has_to, "0", 1),
    GOOD("scale", "to", 'b', has_by, "1", 0),
    BAD("scale", "by", "-9223372036854775808", NUMBER "-1000000 to 1000000"),
    BAD("scale", "by", "false", NUMBER "-1000000 to 1000000"),
    GOOD("kill", "signal", 'i', signal, "'KILL'", 9),
    GOOD("kill", "signal", 'i', signal, "'SIGKILL'", 9),
    GOOD("kill", "signal", 'i', signal, "'segv'", 11),
    GOOD("kill", "signal", 'i', signal, "'19'", 19),
    BAD("kill", "signal", "9", SIGNAL),
    BAD("kill", "signal", "'0'", SIGNAL),
    BAD("kill", "signal", "'-9'", SIGNAL),
    BAD("kill", "signal", "''", SIGNAL),
    BAD("kill", "signal", "'SIG'", SIGNAL),
    BAD("kill", "signal", "'ZOMBIE'", SIGNAL),
    BAD("kill", "signal", "null", SIGNAL),
    GOOD("log-level", "level", 'i', level, "'error'", LOG_LEVEL_ERROR),
    GOOD("log-level", "level", 'i', level, "'warning'", LOG_LEVEL_WARNING),
    GOOD("log-level", "level", 'i', level, "'info'", LOG_LEVEL_INFO),
    GOOD("log-level", "level", 'i', level, "'debug'", LOG_LEVEL_DEBUG),
    BAD("log-level", "level", "'Debug'", LEVEL),
    BAD("log-level", "level", "'trace'", LEVEL),
    BAD("log-level", "level", "''", LEVEL),
    BAD("log-level", "level", "3", LEVEL),
    BAD("log-level", "level", "null", LEVEL),
    GOOD("kill", "chaos", 'b', chaos, "true", 1),
    GOOD("kill", "chaos", 'b', chaos, "false", 0),
    GOOD("stop", "fast", 'b', fast, "true", 1),
    GOOD("events", "follow", 'b', follow, "true", 1),
    GOOD("logs", "follow", 'b', follow, "false", 0),
    BAD("kill", "chaos", "1", BOOL),
    BAD("kill", "chaos", "'true'", BOOL),
    BAD("stop", "fast", "0", BOOL),
    BAD("stop", "fast", "null", BOOL),
    BAD("events", "follow", "[]", BOOL),
    GOOD("events", "since", 'i', since, "0", 0),
    GOOD("events", "since", 'i', since, "9223372036854775807", INT64_MAX),
    BAD("events", "since", "-1", NUMBER "0 to 9223372036854775807"),
    BAD("events", "since", "'0'", NUMBER "0 to 9223372036854775807"),
    GOOD("logs", "worker", 'i', worker, "0", 0),
    GOOD("logs", "worker", 'b', has_worker, "0", 1),
    GOOD("logs", "worker", 'i', worker, "9223372036854775807", INT64_MAX),
    BAD("logs", "worker", "-1", NUMBER "0 to 9223372036854775807"),
    BAD("logs", "worker", "'admin'", NUMBER "0 to 9223372036854775807"),
    GOOD("logs", "lines", 'i', lines, "0", 0),
    GOOD("logs", "lines", 'i', lines, "1000", 1000),
    BAD("logs", "lines", "1001", NUMBER "0 to 1000"),
    BAD("logs", "lines", "-1", NUMBER "0 to 1000"),
    BAD("logs", "lines", "1e2", NUMBER "0 to 1000"),
};

static int64_t read_member(const struct operation *operation, const struct value *value)
{
    const void *at = (const char *)&operation->arguments + value->offset;

    if (value->kind == 'b')
        return *(const bool *)at;
    return value->kind == 'u' ? *(const unsigned *)at : *(const int64_t *)at;
}

static void reads_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(values); i++) {
        const struct value *value = &values[i];
        char object[64], expected[128];
        struct operation operation;

        (void)snprintf(object, sizeof(object), "{'%s':%s}", value->key, value->json);
        operation = ask_text(value->command, object);
        if (was_understood(&operation) != (value->wanted == NULL))
            fail_msg("%s %s", value->command, object);
        if (value->wanted == NULL) {
            assert_int_equal(read_member(&operation, value), value->value);
            continue;
        }
        (void)snprintf(expected, sizeof(expected), "%s of %s must be %s", value->key,
                       value->command, value->wanted);
        assert_int_equal(answer_error, CONTROL_BAD_ARGUMENT);
        assert_string_equal(answer_text, expected);
    }
}

/* --- The rest of its life ------------------------------------------------------- */

static void says_what_needs_looks(void **state)
{
    struct operation operation = ask_text("logs", "{}");

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
    struct operation operation = ask_text("events", "{'follow':true}");

    (void)state;
    commands_conclude(&operation);
    assert_int_equal(n_answers, 1);
    assert_int_equal(answer_error, CONTROL_FAILED);
    assert_string_equal(answer_text, "the instance has stopped");
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
        struct operation operation = ask_text("stop", "{}");

        operation.master = &master;
        master.toll = rows[i].toll;
        commands_conclude(&operation);
        assert_int_equal(answer_error, CONTROL_ERRORS);
        (void)snprintf(said, sizeof(said), "stopped%s{\"connections\": %d, \"killed\": %d}",
                       rows[i].cost, (int)rows[i].toll.connections, (int)rows[i].toll.killed);
        assert_string_equal(answer_text, said);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(knows_its_commands, set_up),
        cmocka_unit_test_setup(knows_no_others, set_up),
        cmocka_unit_test_setup(the_admin_child_may_less, set_up),
        cmocka_unit_test_setup(takes_its_own_arguments, set_up),
        cmocka_unit_test_setup(takes_no_others, set_up),
        cmocka_unit_test_setup(has_values_of_its_own, set_up),
        cmocka_unit_test_setup(reads_several_at_once, set_up),
        cmocka_unit_test_setup(reads_values, set_up),
        cmocka_unit_test_setup(says_what_needs_looks, set_up),
        cmocka_unit_test_setup(ends_with_the_instance, set_up),
        cmocka_unit_test_setup(a_stop_says_what_it_has_cost, set_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
