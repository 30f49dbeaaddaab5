/*
 * ISO 8601 as logs write it, and a clock that never goes back.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct {
    const char *name;
    struct timespec when;
    const char *text;
} cases[] = {
    {"the epoch", {0, 0}, "1970-01-01T00:00:00.000Z"},
    {"before the epoch", {-1, 999000000}, "1969-12-31T23:59:59.999Z"},
    {"milliseconds keep their zeros", {0, 7000000}, "1970-01-01T00:00:00.007Z"},
    {"nanoseconds are cut, not rounded", {0, 999999999}, "1970-01-01T00:00:00.999Z"},
    {"less than a millisecond", {0, 999999}, "1970-01-01T00:00:00.000Z"},
    {"last day of January", {1769903999, 123456789}, "2026-01-31T23:59:59.123Z"},
    {"29 February", {1709164800, 0}, "2024-02-29T00:00:00.000Z"},
    {"no 29 February in 2100", {4107542400, 0}, "2100-03-01T00:00:00.000Z"},
    {"beyond 32 bits", {2147483648, 0}, "2038-01-19T03:14:08.000Z"},
    {"the last second of 9999", {253402300799, 500000000}, "9999-12-31T23:59:59.500Z"},
};

static void formats_iso8601(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buf[CLOCK_ISO8601_SIZE];

        memset(buf, 'x', sizeof(buf));
        clock_format_iso8601(&cases[i].when, buf);
        if (strncmp(buf, cases[i].text, sizeof(buf)) != 0)
            fail_msg("%s: %.25s", cases[i].name, buf);
    }
}

/* CLOCK_MONOTONIC in milliseconds: between two readings of it, and not of another clock. */
static void tells_monotonic_milliseconds(void **state)
{
    struct timespec before, after;
    int64_t now_ms;

    (void)state;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    now_ms = clock_now_ms();
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_true(now_ms >= (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
    assert_true(now_ms <= (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_iso8601),
        cmocka_unit_test(tells_monotonic_milliseconds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
