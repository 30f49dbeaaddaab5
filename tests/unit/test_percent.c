/*
 * Percent-decoding: what comes out, what is refused and where.
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
#include "base/percent.h"

/* Decode from and into blocks of exactly that size, so that a sanitizer sees every slip. */
static int decode(const char *text, size_t len, bool plus_is_space, size_t size, char *ret_text,
                  size_t *ret_len)
{
    char *in = malloc(len > 0 ? len : 1);
    char *out = malloc(size);
    int r;

    assert_non_null(in);
    assert_non_null(out);
    memcpy(in, text, len);
    r = percent_decode(in, len, plus_is_space, out, size, ret_len);
    if (r == 0)
        memcpy(ret_text, out, *ret_len + 1);
    free(out);
    free(in);
    return r;
}

static void decodes(void **state)
{
    static const struct {
        const char *text;
        const char *path, *form;
    } cases[] = {
        {"", "", ""},
        {"abc", "abc", "abc"},
        {"a+b", "a+b", "a b"},
        {"a%2Bb%2bc", "a+b+c", "a+b+c"},
        {"%20", " ", " "},
        {"%25%32%35", "%25", "%25"},
        {"%EC%A2%80", "\xec\xa2\x80", "\xec\xa2\x80"},
        {"%fF%Ff", "\xff\xff", "\xff\xff"},
        {"\x01\xff", "\x01\xff", "\x01\xff"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].text), out_len = 0;
        size_t need = strlen(cases[i].path);
        char out[64];

        assert_int_equal(decode(cases[i].text, len, false, need + 1, out, &out_len), 0);
        assert_string_equal(out, cases[i].path);
        assert_int_equal(out_len, need);
        assert_int_equal(decode(cases[i].text, len, true, need + 1, out, &out_len), 0);
        assert_string_equal(out, cases[i].form);
        assert_int_equal(percent_find_bad(cases[i].text, len), len);
        out_len = 77;
        if (need > 0)
            assert_int_equal(decode(cases[i].text, len, false, need, out, &out_len), -ENOSPC);
        assert_int_equal(out_len, 77);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *text;
        size_t len, bad_at;
    } cases[] = {
        {"%", 1, 0},     {"%4", 2, 0},     {"a%4", 3, 1},    {"%41%", 4, 3}, {"%zz", 3, 0},
        {"ab%4g", 5, 2}, {"%g4", 3, 0},    {"%-1", 3, 0},    {"%+1", 3, 0},  {"%%41", 4, 0},
        {"% 41", 4, 0},  {"%00", 3, 0},    {"abc%00", 6, 3}, {"a\0b", 3, 1}, {"%u0041", 6, 0},
        {"%41", 2, 0},   {"%41%42", 5, 3}, {"\0", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        size_t out_len = 77;

        if (decode(cases[i].text, cases[i].len, false, 64, out, &out_len) != -EINVAL ||
            decode(cases[i].text, cases[i].len, true, 64, out, &out_len) != -EINVAL)
            fail_msg("case %zu", i);
        assert_int_equal(out_len, 77);
        assert_int_equal(percent_find_bad(cases[i].text, cases[i].len), cases[i].bad_at);
    }
}

static void encodes(void **state)
{
    static const struct {
        const char *text, *encoded;
    } cases[] = {
        {"", ""},
        {"AZaz09-._~", "AZaz09-._~"},
        {"a b", "a%20b"},
        {"/?#[]@!$&'()*+,;=:%", "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%25"},
        {"\xec\xa2\x80\x01\x7f\"", "%EC%A2%80%01%7F%22"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes bytes = {0};
        char out[64];
        size_t len;

        bytes_add_text(&bytes, "<");
        percent_encode(cases[i].text, &bytes);
        assert_string_equal(bytes.at + 1, cases[i].encoded);
        assert_int_equal(decode(bytes.at + 1, bytes.len - 1, true, sizeof out, out, &len), 0);
        assert_string_equal(out, cases[i].text);
        bytes_free(&bytes);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(encodes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
