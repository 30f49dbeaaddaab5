/*
 * Who may be replaced when: the budget, the back-off and the crash loop, all
 * with a time of our own.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/respawn.h"

static const struct respawn_limits limits = {
    .per_second = 200, .per_10s = 2000, .backoff_min_ms = 100, .backoff_max_ms = 30000};

static struct respawn *make(const struct respawn_limits *of)
{
    struct respawn *respawn = NULL;

    assert_int_equal(respawn_new(of, &respawn), 0);
    assert_non_null(respawn);
    return respawn;
}

/* All of n replacements at one moment are granted. */
static void take(struct respawn *respawn, int n, int64_t now_ms)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(respawn_take(respawn, now_ms), 0);
}

static void grants_the_budget_of_a_second(void **state)
{
    struct respawn *respawn = make(&limits);

    (void)state;
    take(respawn, 200, 50000);
    assert_int_equal(respawn_take(respawn, 50000), 100);
    respawn_free(respawn);

    respawn = make(&limits);
    take(respawn, 1, 50000);
    take(respawn, 199, 50500);
    assert_int_equal(respawn_take(respawn, 50999), 100);
    respawn_free(respawn);

    respawn = make(&limits);
    take(respawn, 1, 50000);
    take(respawn, 199, 50500);
    take(respawn, 1, 51000);
    assert_int_equal(respawn_take(respawn, 51000), 100);
    respawn_free(respawn);
}

static void starts_at_any_time(void **state)
{
    static const int64_t times[] = {0, 1, 9999, 10000, INT64_MAX / 2};

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct respawn *respawn = make(&limits);

        take(respawn, 200, times[i]);
        assert_int_equal(respawn_take(respawn, times[i]), 100);
        respawn_free(respawn);
    }
}

static void counts_down_a_pause(void **state)
{
    struct respawn *respawn = make(&limits);

    (void)state;
    take(respawn, 200, 50000);
    assert_int_equal(respawn_take(respawn, 50000), 100);
    assert_int_equal(respawn_take(respawn, 50000), 100);
    assert_int_equal(respawn_take(respawn, 50001), 99);
    assert_int_equal(respawn_take(respawn, 50099), 1);
    assert_int_equal(respawn_take(respawn, 50100), 200);
    respawn_free(respawn);
}

/* As long as the crowd of the first moment is within ten seconds, each question is refused. */
static void doubles_the_pauses(void **state)
{
    static const int64_t pauses[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    static const struct respawn_limits narrow = {.per_second = 3, .per_10s = 3};
    struct respawn *respawn = make(&narrow);
    int64_t now_ms = 50000;

    (void)state;
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        if (i == 0 || now_ms == 61300) /* ten seconds later they are forgotten */
            take(respawn, 3, now_ms);
        assert_int_equal(respawn_take(respawn, now_ms), pauses[i]);
        now_ms += pauses[i];
    }
    respawn_free(respawn);
}

static void grants_after_a_pause_what_fits_again(void **state)
{
    struct respawn *respawn = make(&limits);

    (void)state;
    take(respawn, 200, 50000);
    assert_int_equal(respawn_take(respawn, 50000), 100);
    assert_int_equal(respawn_take(respawn, 50100), 200);
    assert_int_equal(respawn_take(respawn, 50300), 400);
    assert_int_equal(respawn_take(respawn, 50700), 800);
    take(respawn, 200, 51500);
    assert_int_equal(respawn_take(respawn, 51500), 1600);
    respawn_free(respawn);
}

/* Ten seconds after the pause has ended, and not one millisecond earlier. */
static void forgets_after_ten_quiet_seconds(void **state)
{
    static const struct {
        int64_t quiet_ms;
        int64_t pause_ms;
    } cases[] = {{9999, 200}, {10000, 100}, {1000000, 100}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct respawn *respawn = make(&limits);
        int64_t now_ms = 50100 + cases[i].quiet_ms;

        take(respawn, 200, 50000);
        assert_int_equal(respawn_take(respawn, 50000), 100);
        take(respawn, 200, now_ms);
        assert_int_equal(respawn_take(respawn, now_ms), cases[i].pause_ms);
        respawn_free(respawn);
    }
}

static void grants_the_budget_of_ten_seconds(void **state)
{
    static const struct respawn_limits half = {.per_second = 200, .per_10s = 1000};
    struct respawn *respawn = make(&limits);

    (void)state;
    for (int i = 0; i <= 10; i++)
        take(respawn, 200, 50000 + i * 1000);
    assert_int_equal(respawn_take(respawn, 60999), 100);
    respawn_free(respawn);

    respawn = make(&half);
    for (int i = 0; i < 5; i++)
        take(respawn, 200, 50000 + i * 1000);
    assert_int_equal(respawn_take(respawn, 59999), 100);
    take(respawn, 200, 60099);
    assert_int_equal(respawn_take(respawn, 60099), 200);
    respawn_free(respawn);
}

static void the_smaller_limit_counts(void **state)
{
    static const struct respawn_limits few = {.per_second = 200, .per_10s = 3};
    struct respawn *respawn = make(&few);

    (void)state;
    take(respawn, 3, 50000);
    assert_int_equal(respawn_take(respawn, 50000), 100);
    assert_int_equal(respawn_take(respawn, 59999), 200);
    take(respawn, 3, 60199);
    respawn_free(respawn);
}

/* A second's limit beyond that of ten seconds says nothing, however many were replaced. */
static void a_larger_limit_of_a_second_is_void(void **state)
{
    static const struct respawn_limits few = {.per_second = 4, .per_10s = 3};
    struct respawn *respawn = make(&few);

    (void)state;
    for (int64_t now_ms = 50000; now_ms < 150000; now_ms += 20000) {
        take(respawn, 1, now_ms);
        take(respawn, 1, now_ms + 100);
        take(respawn, 1, now_ms + 200);
        assert_int_equal(respawn_take(respawn, now_ms + 300), 100);
    }
    respawn_free(respawn);
}

static void backs_off(void **state)
{
    static const struct {
        unsigned n;
        double dice;
        int64_t wait_ms;
    } cases[] = {
        {1, 0, 80},
        {1, 0.5, 100},
        {1, 0.999, 119},
        {2, 0, 160},
        {2, 0.5, 200},
        {2, 0.999, 239},
        {3, 0.5, 400},
        {4, 0.5, 800},
        {9, 0, 20480},
        {9, 0.5, 25600},
        {9, 0.999, 30709},
        {10, 0, 24000},
        {10, 0.5, 30000},
        {10, 0.999, 35988},
        {11, 0.5, 30000},
        {1000000, 0, 24000},
        {UINT32_MAX, 0.5, 30000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t wait_ms = respawn_backoff_ms(&limits, cases[i].n, cases[i].dice);

        if (wait_ms != cases[i].wait_ms)
            fail_msg("boot %u, dice %g: %ld ms", cases[i].n, cases[i].dice, (long)wait_ms);
    }
}

static void backs_off_within_its_limits(void **state)
{
    static const struct {
        long min_ms;
        long max_ms;
        unsigned n;
        int64_t wait_ms;
    } cases[] = {
        {100, 100, 1, 100},        {100, 100, 9, 100},     {100, 150, 2, 150},
        {1, 3600000, 99, 3600000}, {1000, 30000, 1, 1000}, {1000, 30000, 6, 30000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct respawn_limits of = {.backoff_min_ms = cases[i].min_ms,
                                    .backoff_max_ms = cases[i].max_ms};

        assert_int_equal(respawn_backoff_ms(&of, cases[i].n, 0.5), cases[i].wait_ms);
    }
}

static void is_cautious_while_the_last_boot_failed(void **state)
{
    struct respawn *respawn = make(&limits);

    (void)state;
    assert_false(respawn_is_cautious(respawn));
    respawn_boot_succeeded(respawn);
    assert_false(respawn_is_cautious(respawn));
    respawn_boot_failed(respawn);
    assert_true(respawn_is_cautious(respawn));
    respawn_boot_failed(respawn);
    respawn_boot_succeeded(respawn);
    assert_false(respawn_is_cautious(respawn));
    respawn_free(respawn);
    respawn_free(NULL);
}

static void knows_a_crash_loop(void **state)
{
    struct respawn *respawn = make(&limits);

    (void)state;
    for (int i = 0; i < 4; i++)
        respawn_boot_failed(respawn);
    assert_false(respawn_is_crash_loop(respawn, 0));
    respawn_boot_failed(respawn);
    assert_true(respawn_is_crash_loop(respawn, 0));
    assert_false(respawn_is_crash_loop(respawn, 1));
    respawn_boot_failed(respawn);
    assert_true(respawn_is_crash_loop(respawn, 0));
    respawn_boot_succeeded(respawn);
    assert_false(respawn_is_crash_loop(respawn, 0));
    for (int i = 0; i < 4; i++)
        respawn_boot_failed(respawn);
    assert_false(respawn_is_crash_loop(respawn, 0));
    respawn_free(respawn);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_the_budget_of_a_second),
        cmocka_unit_test(starts_at_any_time),
        cmocka_unit_test(counts_down_a_pause),
        cmocka_unit_test(doubles_the_pauses),
        cmocka_unit_test(grants_after_a_pause_what_fits_again),
        cmocka_unit_test(forgets_after_ten_quiet_seconds),
        cmocka_unit_test(grants_the_budget_of_ten_seconds),
        cmocka_unit_test(the_smaller_limit_counts),
        cmocka_unit_test(a_larger_limit_of_a_second_is_void),
        cmocka_unit_test(backs_off),
        cmocka_unit_test(backs_off_within_its_limits),
        cmocka_unit_test(is_cautious_while_the_last_boot_failed),
        cmocka_unit_test(knows_a_crash_loop),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
