/*
 * What each argument of an order may be, and what it is when it is not given.
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
#include "commands_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void has_values_of_its_own(void **state)
{
    struct operation operation = fixture_ask_text("kill", "{}");

    (void)state;
    assert_int_equal(operation.arguments.slot, 0);
    assert_int_equal(operation.arguments.signal, 9);
    assert_false(operation.arguments.chaos);
    operation = fixture_ask_text("logs", "{}");
    assert_int_equal(operation.arguments.lines, 50);
    assert_false(operation.arguments.has_worker);
    assert_false(operation.arguments.follow);
    operation = fixture_ask_text("events", "{}");
    assert_int_equal(operation.arguments.since, 0);
    operation = fixture_ask_text("log-level", "{}");
    assert_true(operation.arguments.level < 0);
    operation = fixture_ask_text("scale", "{}");
    assert_false(operation.arguments.has_to);
    assert_false(operation.arguments.has_by);
    operation = fixture_ask_text("stop", "{}");
    assert_false(operation.arguments.fast);
    operation = fixture_ask_text("upstream-drain", "{}");
    assert_true(operation.arguments.wait);
    assert_string_equal(operation.arguments.upstream, "");
    assert_string_equal(operation.arguments.server, "");
}

static void reads_several_at_once(void **state)
{
    struct operation operation =
        fixture_ask_text("kill", "{'chaos':true,'signal':'sigterm','slot':7}");

    (void)state;
    assert_int_equal(operation.arguments.slot, 7);
    assert_int_equal(operation.arguments.signal, 15);
    assert_true(operation.arguments.chaos);
    operation = fixture_ask_text("logs", "{'follow':true,'worker':0,'lines':0}");
    assert_true(operation.arguments.follow);
    assert_true(operation.arguments.has_worker);
    assert_int_equal(operation.arguments.worker, 0);
    assert_int_equal(operation.arguments.lines, 0);
    operation = fixture_ask_text("scale", "{'to':3,'by':-2}");
    assert_true(operation.arguments.has_to && operation.arguments.has_by);
    assert_int_equal(operation.arguments.to, 3);
    assert_int_equal(operation.arguments.by, -2);
}

/* As long as a title may be, and one byte longer. */
static void reads_texts_of_any_length(void **state)
{
    char text[OPERATION_TEXT_SIZE + 1];
    struct operation operation;

    (void)state;
    for (size_t len = OPERATION_TEXT_SIZE - 2; len <= OPERATION_TEXT_SIZE; len++) {
        memset(text, 'x', len);
        text[len] = '\0';
        json_t *object = json_pack("{ss}", "server", text);
        operation = fixture_ask("upstream-undrain", object);
        json_decref(object);
        assert_int_equal(fixture_understood(&operation), len < OPERATION_TEXT_SIZE);
        if (len < OPERATION_TEXT_SIZE)
            assert_string_equal(operation.arguments.server, text);
    }
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
#define SLOT   "the number of a slot, \"admin\" or \"herald\""
#define SIGNAL "the name of a signal, such as \"KILL\""
#define LEVEL  "\"error\", \"warning\", \"info\" or \"debug\""
#define BOOL   "true or false"
#define TEXT   "a text of 1 to 263 bytes"

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
    GOOD("restart", "slot", 'u', slot, "'herald'", 1026),
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
    GOOD("upstream-drain", "wait", 'b', wait, "false", 0),
    BAD("upstream-drain", "wait", "0", BOOL),
    BAD("upstream-drain", "upstream", "''", TEXT),
    BAD("upstream-drain", "upstream", "7", TEXT),
    BAD("upstream-undrain", "server", "null", TEXT),
    BAD("upstream-undrain", "server", "['a']", TEXT),
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
        operation = fixture_ask_text(value->command, object);
        if (fixture_understood(&operation) != (value->wanted == NULL))
            fail_msg("%s %s", value->command, object);
        if (value->wanted == NULL) {
            assert_int_equal(read_member(&operation, value), value->value);
            continue;
        }
        (void)snprintf(expected, sizeof(expected), "%s of %s must be %s", value->key,
                       value->command, value->wanted);
        assert_int_equal(fixture_error, CONTROL_BAD_ARGUMENT);
        assert_string_equal(fixture_text, expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(has_values_of_its_own, fixture_setup_commands),
        cmocka_unit_test_setup(reads_several_at_once, fixture_setup_commands),
        cmocka_unit_test_setup(reads_texts_of_any_length, fixture_setup_commands),
        cmocka_unit_test_setup(reads_values, fixture_setup_commands),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
