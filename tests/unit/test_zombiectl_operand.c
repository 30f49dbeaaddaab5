/*
 * Words behind a command, and the members of the request they become.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/operand.h"

typedef int read_operand(const char *word, json_t *arguments, char error[OPERAND_ERROR_SIZE]);

struct row {
    const char *word;
    const char *expected; /* the request as JSON, or why not */
};

static void check(read_operand *read, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char error[OPERAND_ERROR_SIZE] = "";
        json_t *arguments = json_object();
        int err = read(rows[i].word, arguments, error);
        char *made = json_dumps(arguments, JSON_COMPACT);
        const char *got = err == 0 ? made : error;

        if ((err == 0) != (rows[i].expected[0] == '{') || strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: %d, %s", rows[i].word, err, got);
        if (err != 0)
            assert_string_equal(made, "{}");
        free(made);
        json_decref(arguments);
    }
}

#define CHECK(read, rows) check(read, rows, sizeof(rows) / sizeof((rows)[0]))

#define NO_NUMBER(word) "'" word "' is no number of workers: N, +N for more or -N for fewer"

static void reads_scale(void **state)
{
    static const struct row rows[] = {
        {"4", "{\"to\":4}"},
        {"0", "{\"to\":0}"},
        {"+2", "{\"by\":2}"},
        {"-2", "{\"by\":-2}"},
        {"1000000", "{\"to\":1000000}"},
        {"1000001", NO_NUMBER("1000001")},
        {"", NO_NUMBER("")},
        {"+", NO_NUMBER("+")},
        {"-0", NO_NUMBER("-0")},
        {"+-1", NO_NUMBER("+-1")},
        {"2x", NO_NUMBER("2x")},
        {"99999999999999999999", NO_NUMBER("99999999999999999999")},
    };

    (void)state;
    CHECK(operand_scale, rows);
}

static void reads_slots(void **state)
{
    static const struct row slots[] = {
        {"1", "{\"slot\":1}"},
        {"1024", "{\"slot\":1024}"},
        {"0", "'0' is no slot: 1 to 1024"},
        {"1025", "'1025' is no slot: 1 to 1024"},
        {"-1", "'-1' is no slot: 1 to 1024"},
        {"admin", "'admin' is no slot: 1 to 1024"},
    };
    static const struct row processes[] = {
        {"7", "{\"slot\":7}"},
        {"admin", "{\"slot\":\"admin\"}"},
        {"herald", "{\"slot\":\"herald\"}"},
        {"Admin", "'Admin' is no slot: 1 to 1024, admin or herald"},
        {"", "'' is no slot: 1 to 1024, admin or herald"},
    };

    (void)state;
    CHECK(operand_slot, slots);
    CHECK(operand_process, processes);
}

static void reads_signals(void **state)
{
    static const struct row rows[] = {
        {"KILL", "{\"signal\":\"KILL\"}"},
        {"sigsegv", "{\"signal\":\"SEGV\"}"},
        {"15", "{\"signal\":\"TERM\"}"},
        {"DOOM", "'DOOM' is no signal: a name as KILL or SIGKILL, or a number"},
        {"0", "'0' is no signal: a name as KILL or SIGKILL, or a number"},
        {"-9", "'-9' is no signal: a name as KILL or SIGKILL, or a number"},
    };

    (void)state;
    CHECK(operand_signal, rows);
}

static void reads_levels(void **state)
{
    static const struct row rows[] = {
        {"error", "{\"level\":\"error\"}"},
        {"warning", "{\"level\":\"warning\"}"},
        {"info", "{\"level\":\"info\"}"},
        {"debug", "{\"level\":\"debug\"}"},
        {"warn", "'warn' is no level: error, warning, info or debug"},
        {"", "'' is no level: error, warning, info or debug"},
    };

    (void)state;
    CHECK(operand_level, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scale),
        cmocka_unit_test(reads_slots),
        cmocka_unit_test(reads_signals),
        cmocka_unit_test(reads_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
