/*
 * UTF-8 as RFC 3629 has it: every row is a text and what it starts with.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static const struct {
    const char *name;
    const char *text;
    size_t len;
    size_t expected;
} cases[] = {
    {"NUL", "\0", 1, 1},
    {"ASCII", "a", 1, 1},
    {"ASCII before garbage", "a\xff", 2, 1},
    {"DEL, the last of one byte", "\x7f", 1, 1},
    {"U+0080, the first of two", "\xc2\x80", 2, 2},
    {"U+07FF, the last of two", "\xdf\xbf", 2, 2},
    {"U+0800, the first of three", "\xe0\xa0\x80", 3, 3},
    {"U+1000", "\xe1\x80\x80", 3, 3},
    {"U+C880, Hangul", "\xec\xa2\x80", 3, 3},
    {"U+CFFF", "\xec\xbf\xbf", 3, 3},
    {"U+D000", "\xed\x80\x80", 3, 3},
    {"U+D7FF, the last before the surrogates", "\xed\x9f\xbf", 3, 3},
    {"U+E000, the first behind the surrogates", "\xee\x80\x80", 3, 3},
    {"U+FFFF, the last of three", "\xef\xbf\xbf", 3, 3},
    {"U+10000, the first of four", "\xf0\x90\x80\x80", 4, 4},
    {"U+1F9DF, a zombie", "\xf0\x9f\xa7\x9f", 4, 4},
    {"U+40000", "\xf1\x80\x80\x80", 4, 4},
    {"U+FFFFF", "\xf3\xbf\xbf\xbf", 4, 4},
    {"U+10FFFF, the last of all", "\xf4\x8f\xbf\xbf", 4, 4},
    {"only the first sequence counts", "\xc3\xa9\xff", 3, 2},

    {"stray continuation", "\x80", 1, 0},
    {"last stray continuation", "\xbf\x80", 2, 0},
    {"overlong NUL", "\xc0\x80", 2, 0},
    {"overlong slash", "\xc0\xaf", 2, 0},
    {"overlong of two", "\xc1\xbf", 2, 0},
    {"overlong of three", "\xe0\x9f\xbf", 3, 0},
    {"overlong of four", "\xf0\x8f\xbf\xbf", 4, 0},
    {"first surrogate", "\xed\xa0\x80", 3, 0},
    {"last surrogate", "\xed\xbf\xbf", 3, 0},
    {"U+110000", "\xf4\x90\x80\x80", 4, 0},
    {"F5", "\xf5\x80\x80\x80", 4, 0},
    {"five bytes", "\xf8\x88\x80\x80\x80", 5, 0},
    {"six bytes", "\xfc\x84\x80\x80\x80\x80", 6, 0},
    {"FE", "\xfe", 1, 0},
    {"FF", "\xff", 1, 0},
    {"truncated two", "\xc3", 1, 0},
    {"truncated three behind one", "\xe2", 1, 0},
    {"truncated three behind two", "\xe2\x82", 2, 0},
    {"truncated four behind one", "\xf0", 1, 0},
    {"truncated four behind two", "\xf0\x9f", 2, 0},
    {"truncated four behind three", "\xf0\x9f\xa7", 3, 0},
    {"second byte below", "\xc3\x7f", 2, 0},
    {"second byte above", "\xc3\xc0", 2, 0},
    {"third byte below", "\xe2\x82\x7f", 3, 0},
    {"third byte above", "\xe2\x82\xc0", 3, 0},
    {"third of four below", "\xf0\x9f\x7f\x80", 4, 0},
    {"fourth byte below", "\xf0\x9f\xa7\x7f", 4, 0},
    {"fourth byte above", "\xf0\x9f\xa7\xc0", 4, 0},
};

/* In a block of its own, so that a sanitizer sees a read past the end. */
static size_t length_of(const char *text, size_t len)
{
    char *copy = malloc(len);
    size_t length;

    assert_non_null(copy);
    memcpy(copy, text, len);
    length = utf8_sequence_length(copy, len);
    free(copy);
    return length;
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = length_of(cases[i].text, cases[i].len);

        if (length != cases[i].expected)
            fail_msg("%s: %zu", cases[i].name, length);
    }
}

/* Encode a code point as the table of RFC 3629 section 3 says. */
static size_t encode(uint32_t point, char *out)
{
    static const unsigned char first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(first[length] | point);
    return length;
}

static void knows_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        char text[4];
        size_t length = encode(point, text);
        bool exists = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);

        if (utf8_sequence_length(text, length) != (exists ? length : 0))
            fail_msg("U+%04X", (unsigned)point);
    }
}

static void tells_what_can_be_printed(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        bool is_printable;
    } texts[] = {
        {"", 0, true},          {"a b~", 4, true},  {"gr\xc3\xbc\xc3\x9f", 6, true},
        {"\xc3\xbc", 1, false}, /* half a character */
        {"\xff", 1, false},     {"a\0b", 3, false}, {"a\nb", 3, false},
        {"\x7f", 1, false},     {"ab\n", 2, true}, /* what is behind does not count */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(utf8_is_printable(texts[i].text, texts[i].len), texts[i].is_printable);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(knows_every_code_point),
        cmocka_unit_test(tells_what_can_be_printed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
