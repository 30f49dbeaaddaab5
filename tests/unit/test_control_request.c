/*
 * What is a request of the control socket and what is none, and the lines that
 * answer: pure.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "control/answer.h"
#include "control/request_line.h"
#include "control/text.h"

#define NAME_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void decodes_requests(void **state)
{
    static const struct {
        const char *line;
        uint64_t id;
        const char *command;
        const char *arguments;
    } rows[] = {
        {"{\"id\":1,\"command\":\"ping\"}", 1, "ping", "{}"},
        {" {\t\"command\" : \"ping\" , \"id\" : 2 } \r", 2, "ping", "{}"},
        {"{\"id\":9007199254740991,\"command\":\"a\"}", 9007199254740991, "a", "{}"},
        {"{\"to\":4,\"id\":7,\"command\":\"scale\"}", 7, "scale", "{\"to\":4}"},
        {"{\"id\":7,\"command\":\"x\",\"a\":[1,{\"id\":2}],\"b\":null}", 7, "x",
         "{\"a\":[1,{\"id\":2}],\"b\":null}"},
        {"{\"id\":1,\"command\":\"" NAME_64 "\"}", 1, NAME_64, "{}"},
        {"{\"id\":1,\"command\":\"\\u00e4 \xc3\xa4\"}", 1, "\xc3\xa4 \xc3\xa4", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct control_request_line line;
        struct control_line_refusal refusal;
        char *arguments;

        if (control_request_line_decode(rows[i].line, strlen(rows[i].line), &line, &refusal) != 0)
            fail_msg("%s: %s", rows[i].line, refusal.text);
        assert_int_equal(line.id, rows[i].id);
        assert_string_equal(line.command, rows[i].command);
        arguments = json_dumps(line.arguments, JSON_COMPACT);
        assert_string_equal(arguments, rows[i].arguments);
        free(arguments);
        json_decref(line.arguments);
    }
}

#define ROW(line, id)              \
    {                              \
        line, sizeof(line) - 1, id \
    }

static void refuses_what_is_none(void **state)
{
    static const struct {
        const char *line;
        size_t len;
        uint64_t id;
    } rows[] = {
        ROW("", 0),
        ROW(" ", 0),
        ROW("ping", 0),
        ROW("null", 0),
        ROW("7", 0),
        ROW("\"id\"", 0),
        ROW("[]", 0),
        ROW("[{\"id\":1,\"command\":\"a\"}]", 0),
        ROW("{}", 0),
        ROW("{\"id\":1,\"command\":\"a\"", 0),
        ROW("{\"id\":1,\"command\":\"a\"}}", 0),
        ROW("{\"id\":1,\"command\":\"a\"} {\"id\":2,\"command\":\"a\"}", 0),
        ROW("{\"id\":1,\"command\":\"a\",}", 0),
        ROW("{id:1,\"command\":\"a\"}", 0),
        ROW("{\"id\":1,\"id\":1,\"command\":\"a\"}", 0),
        ROW("{\"id\":1,\"command\":\"a\",\"command\":\"b\"}", 0),
        ROW("{\"id\":1,\"command\":\"a\",\"x\":{\"y\":1,\"y\":2}}", 0),
        ROW("{\"id\":1,\"command\":\"a\"}\0", 0),
        ROW("{\"id\":1,\"command\":\"a\0\"}", 0),
        ROW("{\"id\":1,\"command\":\"a\xff\"}", 0),
        ROW("{\"id\":1,\"command\":\"\\u0000\"}", 0),
        ROW("{\"command\":\"a\"}", 0),
        ROW("{\"id\":null,\"command\":\"a\"}", 0),
        ROW("{\"id\":\"1\",\"command\":\"a\"}", 0),
        ROW("{\"id\":0,\"command\":\"a\"}", 0),
        ROW("{\"id\":-1,\"command\":\"a\"}", 0),
        ROW("{\"id\":1.0,\"command\":\"a\"}", 0),
        ROW("{\"id\":1e3,\"command\":\"a\"}", 0),
        ROW("{\"id\":true,\"command\":\"a\"}", 0),
        ROW("{\"id\":9007199254740992,\"command\":\"a\"}", 0),
        ROW("{\"id\":9223372036854775808,\"command\":\"a\"}", 0),
        ROW("{\"id\":18446744073709551617,\"command\":\"a\"}", 0),
        ROW("{\"id\":1,\"command\":\"a\",\"x\":1e999}", 0),
        ROW("{\"ID\":1,\"command\":\"a\"}", 0),
        ROW("{\"id\":5}", 5),
        ROW("{\"id\":5,\"command\":null}", 5),
        ROW("{\"id\":5,\"command\":7}", 5),
        ROW("{\"id\":5,\"command\":[\"a\"]}", 5),
        ROW("{\"id\":5,\"command\":\"\"}", 5),
        ROW("{\"id\":5,\"command\":\"a\\n\"}", 5),
        ROW("{\"id\":5,\"command\":\"\\u001b[m\"}", 5),
        ROW("{\"id\":5,\"command\":\"a\x7f\"}", 5),
        ROW("{\"id\":5,\"command\":\"" NAME_64 "g\"}", 5),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct control_request_line line;
        struct control_line_refusal refusal = {99, NULL};
        int r = control_request_line_decode(rows[i].line, rows[i].len, &line, &refusal);

        if (r != -EINVAL || refusal.id != rows[i].id || refusal.text == NULL)
            fail_msg("row %zu, %s: %d", i, rows[i].line, r);
    }
}

/* As deep as a line can nest: jansson has a limit, and we have a stack. */
static void survives_depth(void **state)
{
    char nested[CONTROL_LINE_MAX];
    struct control_request_line line;
    struct control_line_refusal refusal = {99, NULL};

    (void)state;
    memset(nested, '[', sizeof(nested));
    assert_int_equal(control_request_line_decode(nested, sizeof(nested), &line, &refusal), -EINVAL);
    assert_int_equal(refusal.id, 0);
}

static void makes_texts_of_any_bytes(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\x9f", "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\x9f"},
        {"\x01\x7f\n\"", "\x01\x7f\n\""},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc3(", "\xef\xbf\xbd("},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xc0\x80x", "\xef\xbf\xbd\xef\xbf\xbdx"},               /* overlong */
        {"\xc3\xa4\x80\xc3\xa4", "\xc3\xa4\xef\xbf\xbd\xc3\xa4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *text = control_text(rows[i].bytes);

        assert_non_null(text);
        assert_string_equal(json_string_value(text), rows[i].text);
        json_decref(text);
    }
    assert_true(json_is_null(control_text(NULL)));
}

static void composes_answers(void **state)
{
    struct {
        json_t *answer;
        const char *line;
    } rows[] = {
        {control_answer_progress(7, 3, 8, "3 of 8"),
         "{\"id\":7,\"progress\":{\"done\":3,\"total\":8},\"text\":\"3 of 8\"}\n"},
        {control_answer_progress(7, 0, 4294967295, "\xff\n"),
         "{\"id\":7,\"progress\":{\"done\":0,\"total\":4294967295},"
         "\"text\":\"\xef\xbf\xbd\\n\"}\n"},
        {control_answer_piece(9007199254740991, "event", json_object()),
         "{\"id\":9007199254740991,\"event\":{}}\n"},
        {control_answer_success(1, NULL, NULL), "{\"id\":1,\"ok\":true}\n"},
        {control_answer_success(1, "pong", NULL), "{\"id\":1,\"ok\":true,\"text\":\"pong\"}\n"},
        {control_answer_success(1, NULL, json_array()), "{\"id\":1,\"ok\":true,\"result\":[]}\n"},
        {control_answer_success(1, "", json_null()),
         "{\"id\":1,\"ok\":true,\"text\":\"\",\"result\":null}\n"},
        {control_answer_failure(0, CONTROL_BAD_REQUEST, "no"),
         "{\"id\":null,\"ok\":false,\"error\":\"bad-request\",\"text\":\"no\"}\n"},
        {control_answer_failure(2, CONTROL_TOO_MANY, "no"),
         "{\"id\":2,\"ok\":false,\"error\":\"too-many\",\"text\":\"no\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {.at = NULL};

        assert_int_equal(control_answer_add(&out, rows[i].answer), 0);
        assert_string_equal(out.at, rows[i].line);
        bytes_free(&out);
    }
}

/* What could not be made is not half sent. */
static void notices_what_is_missing(void **state)
{
    struct bytes out = {.at = NULL};

    (void)state;
    assert_null(control_answer_piece(1, "event", NULL));
    assert_int_equal(control_answer_add(&out, NULL), -ENOMEM);
    assert_int_equal(out.len, 0);
}

static void names_errors(void **state)
{
    static const char *const names[CONTROL_ERRORS] = {
        "bad-request", "unknown-command", "bad-argument", "unknown-slot",
        "not-allowed", "refused",         "failed",       "too-many"};

    (void)state;
    for (int i = 0; i < CONTROL_ERRORS; i++)
        assert_string_equal(control_error_name((enum control_error)i), names[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_requests), cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(survives_depth),   cmocka_unit_test(makes_texts_of_any_bytes),
        cmocka_unit_test(composes_answers), cmocka_unit_test(notices_what_is_missing),
        cmocka_unit_test(names_errors),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
