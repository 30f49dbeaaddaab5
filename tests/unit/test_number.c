/*
 * Strict numbers: the whole text, within bounds, or nothing.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/number.h"

#define UNTOUCHED (-77L)

static const struct {
    const char *name;
    const char *text;
    long min;
    long max;
    int result;
    long value;
} cases[] = {
    {"zero", "0", 0, 10, 0, 0},
    {"digits", "42", 0, 100, 0, 42},
    {"smallest", "5", 5, 10, 0, 5},
    {"largest", "10", 5, 10, 0, 10},
    {"leading zeros are decimal", "0010", 0, 100, 0, 10},
    {"many leading zeros", "0000000000000000000000000000000007", 0, 10, 0, 7},
    {"below", "4", 5, 10, -ERANGE, 0},
    {"above", "11", 5, 10, -ERANGE, 0},
    {"beyond long", "99999999999999999999999999", 0, LONG_MAX, -ERANGE, 0},
    {"empty", "", 0, 10, -EINVAL, 0},
    {"minus", "-1", 0, 10, -EINVAL, 0},
    {"plus", "+1", 0, 10, -EINVAL, 0},
    {"space before", " 1", 0, 10, -EINVAL, 0},
    {"space behind", "1 ", 0, 10, -EINVAL, 0},
    {"newline behind", "1\n", 0, 10, -EINVAL, 0},
    {"hexadecimal", "0x1", 0, 10, -EINVAL, 0},
    {"unit", "1k", 0, 10, -EINVAL, 0},
    {"fraction", "1.5", 0, 10, -EINVAL, 0},
    {"exponent", "1e1", 0, 10, -EINVAL, 0},
    {"word", "auto", 0, 10, -EINVAL, 0},
    {"byte outside ASCII", "1\xb2", 0, 10, -EINVAL, 0},
    {"wrong before too large", "99999999999999999999999999x", 0, 10, -EINVAL, 0},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        long value = UNTOUCHED;
        int r = number_parse(cases[i].text, cases[i].min, cases[i].max, &value);

        if (r != cases[i].result || value != (r == 0 ? cases[i].value : UNTOUCHED))
            fail_msg("%s: result %d, value %ld", cases[i].name, r, value);
    }
}

static void test_limit_of_long(void **state)
{
    char text[32];
    long value = UNTOUCHED;

    (void)state;
    snprintf(text, sizeof(text), "%ld", LONG_MAX);
    assert_int_equal(number_parse(text, 0, LONG_MAX, &value), 0);
    assert_true(value == LONG_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_limit_of_long),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
