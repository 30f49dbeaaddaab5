/*
 * Base64, by the examples of RFC 4648 section 10, and what is none.
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

#include "discovery/base64.h"

static const struct {
    const char *data, *text;
} both[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xef\xfe", "/+/+"},
    {"/services/api/", "L3NlcnZpY2VzL2FwaS8="},
};

static void test_bytes_become_text_and_bytes_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
        size_t len = strlen(both[i].data), n = SIZE_MAX;
        char *text = base64_encode(both[i].data, len), *data = NULL;
        assert_string_equal(text, both[i].text);
        assert_int_equal(base64_decode(text, strlen(text), &data, &n), 0);
        assert_int_equal(n, len);
        assert_string_equal(data, both[i].data);
        free(text);
        free(data);
    }
}

static void test_each_byte_goes_there_and_back(void **state)
{
    char all[256], *text, *data;
    size_t n;
    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    text = base64_encode(all, sizeof(all));
    assert_int_equal(base64_decode(text, strlen(text), &data, &n), 0);
    assert_int_equal(n, sizeof(all));
    assert_memory_equal(data, all, n);
    assert_int_equal(data[n], '\0');
    free(text);
    free(data);
}

static void test_anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "A",        "AA",       "AAA",    "AAAAA",    "A===",    "====", "=",    "AA=A",
        "AA==AAAA", "AAA=AAAA", "Zm9v\n", "Zm 9",     "Zm-_",    "Zm.v", "Zh==", "Zm9=",
        "Zm9vYmF=", "\xc3\xa4", "A=",     "Zm9v====", "AAA\x80", "!!!!",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *data = NULL;
        size_t n = 7;
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), &data, &n), -EINVAL);
        assert_null(data);
        assert_int_equal(n, 7);
    }
}

static void test_a_nul_is_no_character(void **state)
{
    char *data = NULL;
    size_t n;
    (void)state;
    assert_int_equal(base64_decode("AA\0A", 4, &data, &n), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_become_text_and_bytes_again),
        cmocka_unit_test(test_each_byte_goes_there_and_back),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_a_nul_is_no_character),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
