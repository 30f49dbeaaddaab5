/*
 * Text for terminals: what is made harmless, and how wide the rest is.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/visible.h"

static void check_clean(enum visible_shape shape, const char *name, const char *text,
                        const char *expected)
{
    struct bytes out = {0};

    bytes_add(&out, "", 0);
    visible_clean(&out, shape, text);
    assert_false(out.failed);
    if (strcmp(out.at, expected) != 0)
        fail_msg("%s: '%s'", name, out.at);
    bytes_free(&out);
}

static void cleans_lines(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *expected;
    } rows[] = {
        {"nothing", "", ""},
        {"plain text", "GET /a?b=\"c\" 'd' 100%", "GET /a?b=\"c\" 'd' 100%"},
        {"a backslash stays", "\\x1b", "\\x1b"},
        {"an escape sequence", "\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07"},
        {"newline, tab, return", "a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
        {"backspace and delete", "a\bb\177", "a\\x08b\\x7f"},
        {"C1 in UTF-8",
         "\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},
        {"C1 as a byte",
         "\x9b"
         "31m",
         "\\x9b31m"},
        {"the last C1", "\xc2\x9f", "\\xc2\\x9f"},
        {"a no-break space is no control", "\xc2\xa0", "\xc2\xa0"},
        {"other languages", "\xed\x95\x9c \xc3\xa9", "\xed\x95\x9c \xc3\xa9"},
        {"an emoji", "\xf0\x9f\xa7\x9f", "\xf0\x9f\xa7\x9f"},
        {"an overlong escape", "\xc0\x9b", "\\xc0\\x9b"},
        {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"a sequence that is cut", "\xf0\x9f", "\\xf0\\x9f"},
        {"right to left override",
         "a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xaeb"},
        {"an isolate", "\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
        {"a line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
        {"the Arabic mark", "\xd8\x9c", "\\xd8\\x9c"},
        {"a dash between them", "\xe2\x80\x93", "\xe2\x80\x93"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_clean(VISIBLE_LINE, rows[i].name, rows[i].text, rows[i].expected);
}

static void keeps_the_shape_of_several_lines(void **state)
{
    (void)state;
    check_clean(VISIBLE_LINES, "newlines and tabs", "a {\n\tb\n}\n", "a {\n\tb\n}\n");
    check_clean(VISIBLE_LINES, "nothing else", "\r\n\033c\n", "\\x0d\n\\x1bc\n");
}

/* No byte, and no pair of bytes, brings a control character through. */
static void lets_nothing_through(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            const char text[] = {(char)first, (char)second, '\0'};
            struct bytes out = {0};

            visible_clean(&out, VISIBLE_LINE, text);
            for (size_t i = 0; i < out.len; i++) {
                unsigned char byte = (unsigned char)out.at[i];

                if (byte < 0x20 || byte == 0x7f)
                    fail_msg("%02x %02x lets %02x through", first, second, byte);
            }
            bytes_free(&out);
        }
    }
}

static void measures(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        size_t fit_in_3; /* bytes */
    } rows[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"abcd", 4, 3},
        {"\xc3\xa9\xc3\xa9", 2, 4}, /* e acute */
        {"e\xcc\x81"
         "bcd",
         4, 5},                             /* a combining acute */
        {"\xed\x95\x9c\xea\xb5\xad", 4, 3}, /* two wide Hangul */
        {"a\xed\x95\x9c"
         "b",
         4, 4},
        {"\xf0\x9f\xa7\x9f!!", 4, 5}, /* a wide emoji */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);

        assert_int_equal(visible_width(rows[i].text, len), rows[i].width);
        assert_int_equal(visible_fit(rows[i].text, len, 3), rows[i].fit_in_3);
    }
    assert_int_equal(visible_fit("abc", 3, 0), 0);
    assert_int_equal(visible_fit("abc", 3, 100), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans_lines),
        cmocka_unit_test(keeps_the_shape_of_several_lines),
        cmocka_unit_test(lets_nothing_through),
        cmocka_unit_test(measures),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
