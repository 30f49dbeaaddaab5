/*
 * The framing of the control socket: lines, however the stream is cut.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/line.h"

#define MAX 8

/* What a stream must come to: its lines, each with '|' behind it, and then '!' if one is too long.
 */
static const struct {
    const char *stream;
    const char *lines;
} streams[] = {
    {"", ""},
    {"a", ""},
    {"\n", "|"},
    {"\n\n\n", "|||"},
    {"a\nb\n", "a|b|"},
    {"abc\r\n\ndef\n", "abc\r||def|"},
    {"1234567\n1234567\n", "1234567|1234567|"},
    {"1234567", ""},
    {"12345678", "!"},
    {"12345678\n", "!"},
    {"a\n123456789\nb\n", "a|!"},
    {"a\nb\nc\nd\ne\nf\ng\nh\n", "a|b|c|d|e|f|g|h|"},
};

/* Append the lines that have come to a text. */
static bool collect(struct control_lines *lines, char *text)
{
    const char *line;
    size_t len;
    int r;

    while ((r = control_lines_next(lines, &line, &len)) == 0) {
        strncat(text, line, len);
        strcat(text, "|");
    }
    assert_true(r == -EAGAIN || r == -EMSGSIZE);
    assert_int_equal(control_lines_next(lines, &line, &len), r);
    if (r == -EMSGSIZE)
        strcat(text, "!");
    return r == -EAGAIN;
}

/* Feed the stream in pieces that end at the two cuts and wherever `step` bytes are full. */
static void check_stream(size_t row, size_t first, size_t second, size_t step)
{
    struct control_lines lines = {.max = MAX};
    const char *stream = streams[row].stream;
    size_t len = strlen(stream), from = 0;
    char text[128] = "";
    bool goes_on = true;

    for (size_t at = 1; at <= len && goes_on; at++)
        if (at == first || at == second || at == len || at - from == step) {
            assert_int_equal(control_lines_add(&lines, stream + from, at - from), 0);
            from = at;
            goes_on = collect(&lines, text);
        }
    if (strcmp(text, streams[row].lines) != 0)
        fail_msg("row %zu, cut at %zu and %zu, each %zu: \"%s\"", row, first, second, step, text);
    control_lines_free(&lines);
}

static void takes_lines_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof(streams) / sizeof(streams[0]); row++) {
        size_t len = strlen(streams[row].stream);

        for (size_t first = 0; first <= len; first++)
            for (size_t second = first; second <= len; second++)
                check_stream(row, first, second, SIZE_MAX);
        for (size_t step = 1; step <= len; step++)
            check_stream(row, 0, 0, step);
    }
}

static void keeps_bytes_of_any_kind(void **state)
{
    struct control_lines lines = {.max = MAX};
    const char *line;
    size_t len;

    (void)state;
    assert_int_equal(control_lines_add(&lines, "a\0b\xff\n", 5), 0);
    assert_int_equal(control_lines_next(&lines, &line, &len), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(line, "a\0b\xff", 4);
    control_lines_free(&lines);
}

/* A stream that goes on for ever takes no more memory than its longest line. */
static void forgets_what_was_taken(void **state)
{
    struct control_lines lines = {.max = 100};
    const char *line;
    size_t len;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(control_lines_add(&lines, "0123456789abc\n012", 17), 0);
        while (control_lines_next(&lines, &line, &len) == 0)
            assert_in_range(len, 13, 16);
        assert_int_equal(control_lines_add(&lines, "\n", 1), 0);
        assert_int_equal(control_lines_next(&lines, &line, &len), 0);
        assert_int_equal(len, 3);
    }
    assert_in_range(lines.bytes.size, 1, 1024);
    control_lines_free(&lines);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_lines_however_they_are_cut),
        cmocka_unit_test(keeps_bytes_of_any_kind),
        cmocka_unit_test(forgets_what_was_taken),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
