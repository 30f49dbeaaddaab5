/*
 * Active checks without a network: health by results in a row, and when the
 * next probe is due. And when names are looked up again.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "herald/check.h"
#include "herald/renewal.h"

#define NOW    100000
#define MIDDLE 0.5 /* a throw of the dice that moves nothing */

static const struct conf_check_rule rule = {.path = (char *)"/health",
                                            .interval_ms = 5000,
                                            .timeout_ms = 1000,
                                            .rise = 2,
                                            .fall = 3,
                                            .status_min = 200,
                                            .status_max = 399};

/* Results ('+' passed, '-' failed) and the health after each ('H', 'u'). */
static void health_follows_results_in_a_row(void **state)
{
    static const struct {
        bool healthy;
        long rise, fall;
        const char *results, *health;
    } cases[] = {
        {true, 2, 3, "+++", "HHH"},
        {true, 2, 3, "---", "HHu"},
        {true, 2, 3, "--+--+---", "HHHHHHHHu"},
        {true, 2, 3, "---+-++", "HHuuuuH"},
        {true, 2, 3, "---++--", "HHuuHHH"},
        {false, 2, 3, "-----", "uuuuu"},
        {false, 2, 3, "++---", "uHHHu"},
        {true, 1, 1, "-+-+", "uHuH"},
        {false, 1, 5, "+----+-----", "HHHHHHHHHHu"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_check_rule own = rule;
        struct check check;
        char health[16] = "";

        own.rise = cases[i].rise;
        own.fall = cases[i].fall;
        check_init(&check, &own, cases[i].healthy, MIDDLE, NOW);
        for (size_t j = 0; j < strlen(cases[i].results); j++) {
            bool before = check.healthy;
            check_begin(&check, &own, NOW);
            bool changed = check_end(&check, &own, cases[i].results[j] == '+', MIDDLE, NOW + 1);
            assert_int_equal(changed, before != check.healthy);
            health[j] = check.healthy ? 'H' : 'u';
        }
        assert_string_equal(health, cases[i].health);
    }
}

static void probes_begin_an_interval_apart(void **state)
{
    static const struct {
        double dice;
        int64_t took_ms, due_ms;
    } cases[] = {
        {0.5, 0, 5000},
        {0.5, 999, 5000},
        {0.0, 10, 4500},
        {0.99, 10, 5490},
        {0.5, 7000, 7000} /* an end that comes late, as in a suspend */,
    };
    struct check check;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_init(&check, &rule, true, MIDDLE, 0);
        check_begin(&check, &rule, NOW);
        assert_true(check.running);
        assert_int_equal(check.due_ms, NOW + 1000);
        check_end(&check, &rule, true, cases[i].dice, NOW + cases[i].took_ms);
        assert_false(check.running);
        assert_int_equal(check.due_ms, NOW + cases[i].due_ms);
    }
}

static void first_probes_are_spread(void **state)
{
    struct check check;

    (void)state;
    check_init(&check, &rule, true, 0, NOW);
    assert_int_equal(check.due_ms, NOW);
    check_init(&check, &rule, false, 0.99, NOW);
    assert_int_equal(check.due_ms, NOW + 495);
    assert_false(check.healthy || check.running);
}

static void statuses_are_a_range(void **state)
{
    static const struct {
        int status;
        bool accepted;
    } cases[] = {{200, true}, {399, true}, {199, false}, {400, false}, {503, false}, {-110, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(check_accepts(&rule, cases[i].status), cases[i].accepted);
}

static void names_are_renewed_by_their_ttl(void **state)
{
    static const struct {
        int64_t ttl_s, due_ms;
    } cases[] = {{0, 1000},       {1, 1000},           {60, 60000},
                 {3600, 3600000}, {86400, 3600000},    {INT32_MAX, 3600000},
                 {-1, 1000},      {INT64_MAX, 3600000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct renewal renewal = {.failures = 3};
        renewal_succeed(&renewal, cases[i].ttl_s, NOW);
        assert_int_equal(renewal.due_ms, NOW + cases[i].due_ms);
        assert_int_equal(renewal.failures, 0);
    }
}

static void failures_wait_longer_and_longer(void **state)
{
    static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    struct renewal late = {.failures = 0}, early = {.failures = 0};

    (void)state;
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
        int64_t least_ms = waits_ms[i] / 4 * 3;
        renewal_fail(&late, 0, NOW);
        renewal_fail(&early, 0.999999, NOW);
        assert_int_equal(late.due_ms, NOW + waits_ms[i]);
        assert_in_range(early.due_ms - NOW, least_ms < 1000 ? 1000 : least_ms, waits_ms[i]);
    }
    renewal_succeed(&late, 5, NOW);
    renewal_fail(&late, 0, NOW);
    assert_int_equal(late.due_ms, NOW + 1000);
    late.failures = UINT32_MAX - 1;
    renewal_fail(&late, 0, NOW);
    assert_int_equal(late.due_ms, NOW + 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_follows_results_in_a_row),
        cmocka_unit_test(probes_begin_an_interval_apart),
        cmocka_unit_test(first_probes_are_spread),
        cmocka_unit_test(statuses_are_a_range),
        cmocka_unit_test(names_are_renewed_by_their_ttl),
        cmocka_unit_test(failures_wait_longer_and_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
