/*
 * How log lines look, in text and in JSON, up to the longest ones.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/log_line.h"

#define HEAD_TEXT "2026-01-31T23:59:59.123Z info worker 7: "
#define HEAD_JSON \
    "{\"time\":\"2026-01-31T23:59:59.123Z\",\"level\":\"info\",\"role\":\"worker\",\"id\":7,"

static struct log_record make_record(const char *message, const struct log_field *fields,
                                     size_t n_fields)
{
    return (struct log_record){.time = {1769903999, 123456789},
                               .level = LOG_LEVEL_INFO,
                               .role = "worker",
                               .id = 7,
                               .message = message,
                               .fields = fields,
                               .n_fields = n_fields};
}

/* The line, allocated and ended with NUL; made in a block of its exact size. */
static char *render(enum log_format format, const struct log_record *record)
{
    char *buf = malloc(LOG_LINE_SIZE), *line;
    size_t len;

    assert_non_null(buf);
    len = log_line_render(format, record, buf);
    assert_in_range(len, 1, LOG_LINE_SIZE);
    line = strndup(buf, len);
    free(buf);
    assert_non_null(line);
    assert_int_equal(strlen(line), len);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    return line;
}

static void check(enum log_format format, const struct log_record *record, const char *head,
                  const char *tail)
{
    char expected[LOG_LINE_SIZE + 1];
    char *line = render(format, record);

    (void)snprintf(expected, sizeof(expected), "%s%s\n", head, tail);
    assert_string_equal(line, expected);
    free(line);
}

static const struct {
    const char *raw;
    const char *prose; /* as a message in text */
    const char *field; /* as k=... in text, quotes included */
    const char *json;
} escapes[] = {
    {"plain", "plain", "plain", "plain"},
    {"", "", "\"\"", ""},
    {"two words", "two words", "\"two words\"", "two words"},
    {"a=b", "a=b", "\"a=b\"", "a=b"},
    {"a,b;c:[d]{e}/~'", "a,b;c:[d]{e}/~'", "a,b;c:[d]{e}/~'", "a,b;c:[d]{e}/~'"},
    {"say \"hi\"", "say \"hi\"", "\"say \\\"hi\\\"\"", "say \\\"hi\\\""},
    {"\"", "\"", "\"\\\"\"", "\\\""},
    {"a\\b", "a\\\\b", "\"a\\\\b\"", "a\\\\b"},
    {"\\n", "\\\\n", "\"\\\\n\"", "\\\\n"},
    {"a\nb", "a\\nb", "\"a\\nb\"", "a\\nb"},
    {"a\r\tb", "a\\x0d\\x09b", "\"a\\x0d\\x09b\"", "a\\u000d\\u0009b"},
    {"\x01\x1f", "\\x01\\x1f", "\"\\x01\\x1f\"", "\\u0001\\u001f"},
    {"\x7f", "\\x7f", "\"\\x7f\"", "\\u007f"},
    {"\x1b[31m", "\\x1b[31m", "\"\\x1b[31m\"", "\\u001b[31m"},
    {"\xc3\xa9", "\xc3\xa9", "\xc3\xa9", "\xc3\xa9"},
    {"\xec\xa2\x80\xeb\xb9\x84", "\xec\xa2\x80\xeb\xb9\x84", "\xec\xa2\x80\xeb\xb9\x84",
     "\xec\xa2\x80\xeb\xb9\x84"},
    {"\xf0\x9f\xa7\x9f", "\xf0\x9f\xa7\x9f", "\xf0\x9f\xa7\x9f", "\xf0\x9f\xa7\x9f"},
    {"\xc2\xa0", "\xc2\xa0", "\xc2\xa0", "\xc2\xa0"},
    {"\xc2\x80", "\\xc2\\x80", "\\xc2\\x80", "\\ufffd\\ufffd"},
    {"\xc2\x9f", "\\xc2\\x9f", "\\xc2\\x9f", "\\ufffd\\ufffd"},
    {"a\xff"
     "b",
     "a\\xffb", "a\\xffb", "a\\ufffdb"},
    {"\x80", "\\x80", "\\x80", "\\ufffd"},
    {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xe2\x82", "\\xe2\\x82", "\\xe2\\x82", "\\ufffd\\ufffd"},
    {"\xe2\x82q", "\\xe2\\x82q", "\\xe2\\x82q", "\\ufffd\\ufffdq"},
};

static void escapes_messages_and_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        struct log_field field = LOG_TEXT("k", escapes[i].raw);
        struct log_record record = make_record(escapes[i].raw, &field, 1);
        char tail[512];

        (void)snprintf(tail, sizeof(tail), "%s k=%s", escapes[i].prose, escapes[i].field);
        check(LOG_FORMAT_TEXT, &record, HEAD_TEXT, tail);
        (void)snprintf(tail, sizeof(tail), "\"message\":\"%s\",\"k\":\"%s\"}", escapes[i].json,
                       escapes[i].json);
        check(LOG_FORMAT_JSON, &record, HEAD_JSON, tail);
    }
}

static void renders_heads(void **state)
{
    static const struct {
        enum log_level level;
        const char *role;
        uint64_t id;
        const char *text;
        const char *json;
    } cases[] = {
        {LOG_LEVEL_ERROR, "master", 0, "error master: m", "\"error\",\"role\":\"master\""},
        {LOG_LEVEL_WARNING, "admin", 1, "warning admin 1: m",
         "\"warning\",\"role\":\"admin\",\"id\":1"},
        {LOG_LEVEL_DEBUG, "worker", UINT64_MAX, "debug worker 18446744073709551615: m",
         "\"debug\",\"role\":\"worker\",\"id\":18446744073709551615"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_record record = make_record("m", NULL, 0);
        char tail[256];

        record.level = cases[i].level;
        record.role = cases[i].role;
        record.id = cases[i].id;
        check(LOG_FORMAT_TEXT, &record, "2026-01-31T23:59:59.123Z ", cases[i].text);
        (void)snprintf(tail, sizeof(tail), "%s,\"message\":\"m\"}", cases[i].json);
        check(LOG_FORMAT_JSON, &record, "{\"time\":\"2026-01-31T23:59:59.123Z\",\"level\":", tail);
    }
}

static void renders_numbers_and_texts(void **state)
{
    static const struct log_field fields[] = {LOG_NUMBER("pid", 42), LOG_TEXT("path", "/a b"),
                                              LOG_NUMBER("zero", 0), LOG_NUMBER("min", INT64_MIN),
                                              LOG_NUMBER("max", INT64_MAX)};
    struct log_record record = make_record("m", fields, 5);

    (void)state;
    check(LOG_FORMAT_TEXT, &record, HEAD_TEXT,
          "m pid=42 path=\"/a b\" zero=0 min=-9223372036854775808 max=9223372036854775807");
    check(LOG_FORMAT_JSON, &record, HEAD_JSON,
          "\"message\":\"m\",\"pid\":42,\"path\":\"/a b\",\"zero\":0,"
          "\"min\":-9223372036854775808,\"max\":9223372036854775807}");
}

/* n times the unit, allocated. */
static char *repeat(const char *unit, size_t n)
{
    size_t len = strlen(unit);
    char *text = malloc(n * len + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, unit, len);
    text[n * len] = '\0';
    return text;
}

/* A line with the units in its message or in a field; the fields that were asked for. */
static char *render_units(enum log_format format, const char *unit, size_t n, bool in_field)
{
    char *text = repeat(unit, n);
    struct log_field fields[] = {LOG_TEXT("k", text), LOG_NUMBER("n", 1)};
    struct log_record record =
        in_field ? make_record("m", fields, 2) : make_record(text, fields + 1, 1);
    char *line = render(format, &record);

    free(text);
    return line;
}

static const char *const units[] = {
    "x", "\"", "\x01", "\n", "\\", "\xff", "\xc3\xa9", "\xf0\x9f\xa7\x9f", "\xc2\x85"};

/* Whatever the unit, the range of lengths goes from far below the limit to far above. */
#define FOR_UNITS_AND_LENGTHS(unit, n)                            \
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) \
        for (size_t n = 300; unit = units[u], n < 4200; n += n < 4000 && n % 8 == 7 ? 43 : 1)

/* Cut only at the end, whole escapes and whole characters only, and marked. */
static void check_text(const char *line, size_t n)
{
    size_t len = strlen(line);
    bool whole = strcmp(line + len - 5, " n=1\n") == 0;

    if (!whole && strcmp(line + len - 4, "...\n") != 0)
        fail_msg("%zu units: neither whole nor marked: %s", n, line + len - 16);
    if (!whole && len < LOG_LINE_SIZE - 16)
        fail_msg("%zu units: cut to %zu bytes", n, len);
}

static void cuts_text_lines(void **state)
{
    const char *unit;

    (void)state;
    FOR_UNITS_AND_LENGTHS(unit, n)
    {
        for (int in_field = 0; in_field < 2; in_field++) {
            char *line = render_units(LOG_FORMAT_TEXT, unit, n, in_field);

            check_text(line, n);
            free(line);
        }
    }
}

/* Valid JSON in any case, with the message in front of "..." when it was cut. */
static json_t *parse_line(const char *line)
{
    json_error_t error;
    json_t *object = json_loadb(line, strlen(line) - 1, JSON_REJECT_DUPLICATES, &error);

    if (!json_is_object(object))
        fail_msg("%s: %s", error.text, line);
    assert_non_null(json_string_value(json_object_get(object, "message")));
    return object;
}

static void cut_json_lines_are_valid(void **state)
{
    const char *unit;

    (void)state;
    FOR_UNITS_AND_LENGTHS(unit, n)
    {
        char *line = render_units(LOG_FORMAT_JSON, unit, n, false);
        json_t *object = parse_line(line);
        const char *message = json_string_value(json_object_get(object, "message"));
        bool whole = json_object_get(object, "n") != NULL;
        bool marked = strcmp(message + strlen(message) - 3, "...") == 0;

        if (marked && (whole || strlen(line) < LOG_LINE_SIZE - 16))
            fail_msg("%zu units: marked, but not for want of room: %zu", n, strlen(line));
        json_decref(object);
        free(line);

        line = render_units(LOG_FORMAT_JSON, unit, n, true);
        json_decref(parse_line(line));
        free(line);
    }
}

static void marks_cut_json_messages(void **state)
{
    char *line = render_units(LOG_FORMAT_JSON, "x", 5000, false);

    (void)state;
    assert_string_equal(line + strlen(line) - 7, "x...\"}\n");
    assert_int_equal(strlen(line), LOG_LINE_SIZE);
    free(line);
}

/* The contract: what does not fit is cut and marked with "...", fields as well. */
static void marks_json_lines_without_their_fields(void **state)
{
    char *line = render_units(LOG_FORMAT_JSON, "x", 5000, true);
    bool marked = strstr(line, "...") != NULL;

    (void)state;
    free(line);
    assert_true(marked);
}

/* The last byte that fits and the first that does not. */
static void fills_a_line_to_the_last_byte(void **state)
{
    size_t room = LOG_LINE_SIZE - 6 - strlen(HEAD_TEXT);
    struct log_record record = make_record(NULL, NULL, 0);
    char *text = repeat("x", room), *line, *longer = repeat("x", room + 1);

    (void)state;
    record.message = text;
    line = render(LOG_FORMAT_TEXT, &record);
    assert_int_equal(strlen(line), LOG_LINE_SIZE - 6 + 1);
    assert_null(strstr(line, "..."));
    free(line);
    record.message = longer;
    line = render(LOG_FORMAT_TEXT, &record);
    assert_int_equal(strlen(line), LOG_LINE_SIZE - 6 + 4);
    assert_string_equal(line + strlen(line) - 5, "x...\n");
    free(line);
    free(text);
    free(longer);
}

static void names_the_levels(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
    assert_string_equal(log_level_name(LOG_LEVEL_WARNING), "warning");
    assert_string_equal(log_level_name(LOG_LEVEL_INFO), "info");
    assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_messages_and_fields),
        cmocka_unit_test(renders_heads),
        cmocka_unit_test(renders_numbers_and_texts),
        cmocka_unit_test(cuts_text_lines),
        cmocka_unit_test(cut_json_lines_are_valid),
        cmocka_unit_test(marks_cut_json_messages),
        cmocka_unit_test(marks_json_lines_without_their_fields),
        cmocka_unit_test(fills_a_line_to_the_last_byte),
        cmocka_unit_test(names_the_levels),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
