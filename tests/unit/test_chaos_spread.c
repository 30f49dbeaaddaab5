/*
 * Percentiles of times in classes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zombiectl/chaos_spread.h"

static void nothing_has_no_percentile(void **state)
{
    static const struct chaos_spread spread;

    (void)state;
    assert_int_equal(chaos_spread_percentile(&spread, 1), -1);
    assert_int_equal(chaos_spread_percentile(&spread, 50), -1);
    assert_int_equal(chaos_spread_percentile(&spread, 100), -1);
}

static void small_values_are_exact(void **state)
{
    struct chaos_spread spread = {0};

    (void)state;
    for (int us = 127; us >= 0; us--)
        chaos_spread_add(&spread, us);
    assert_int_equal(chaos_spread_percentile(&spread, 1), 1);
    assert_int_equal(chaos_spread_percentile(&spread, 50), 63);
    assert_int_equal(chaos_spread_percentile(&spread, 99), 126);
    assert_int_equal(chaos_spread_percentile(&spread, 100), 127);
    assert_int_equal(spread.max_us, 127);
}

/* Nearest rank: the smallest value that so many per cent do not exceed. */
static void takes_the_nearest_rank(void **state)
{
    static const struct {
        int n; /* values 1..n */
        unsigned percent;
        int64_t value;
    } rows[] = {
        {1, 1, 1},    {1, 50, 1},    {1, 99, 1},    {2, 50, 1},     {2, 51, 2},  {3, 50, 2},
        {10, 99, 10}, {100, 50, 50}, {100, 99, 99}, {101, 99, 100}, {101, 1, 2}, {99, 99, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chaos_spread spread = {0};
        int64_t value;

        for (int us = 1; us <= rows[i].n; us++)
            chaos_spread_add(&spread, us);
        value = chaos_spread_percentile(&spread, rows[i].percent);
        if (value != rows[i].value)
            fail_msg("%u %% of 1..%d: %lld", rows[i].percent, rows[i].n, (long long)value);
    }
}

static void large_values_are_nearly_exact(void **state)
{
    (void)state;
    for (int64_t us = 1; us < INT64_C(1) << 41; us += us / 7 + 1) {
        struct chaos_spread spread = {0};
        int64_t value;

        chaos_spread_add(&spread, us);
        chaos_spread_add(&spread, us + us / 2 + 1); /* so that the largest does not help */
        value = chaos_spread_percentile(&spread, 50);
        assert_true(value >= us && value - us <= us / 64);
        assert_int_equal(chaos_spread_percentile(&spread, 100), us + us / 2 + 1);
    }
}

static void limits_hold(void **state)
{
    static struct chaos_spread spread;

    (void)state;
    chaos_spread_add(&spread, -5);
    assert_int_equal(chaos_spread_percentile(&spread, 100), 0);
    chaos_spread_add(&spread, INT64_MAX);
    chaos_spread_add(&spread, (INT64_C(1) << 42) - 1);
    chaos_spread_add(&spread, INT64_C(1) << 42);
    assert_int_equal(chaos_spread_percentile(&spread, 100), (INT64_C(1) << 42) - 1);
    assert_int_equal(spread.n, 4);
    assert_int_equal(spread.counts[CHAOS_SPREAD_CLASSES - 1], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_percentile),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(takes_the_nearest_rank),
        cmocka_unit_test(large_values_are_nearly_exact),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
