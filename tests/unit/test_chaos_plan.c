/*
 * The plan of a run of chaos: the same for the same seed, and as it promises.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include <cmocka.h>

#include "zombiectl/chaos_plan.h"

/* A change of these would make old seeds worthless. */
static void seed_42_is_always_the_same(void **state)
{
    const struct chaos_plan plan = {.seed = 42, .rate = 20000, .for_ms = 30000, .slots = 4};
    static const struct chaos_kill expected[] = {
        {37078, 1}, {63930, 2}, {101901, 4}, {160920, 4}, {216996, 3}, {260245, 2},
    };
    struct chaos_kill kill;

    (void)state;
    for (uint64_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(chaos_plan_kill(&plan, i, &kill));
        assert_int_equal(kill.at_us, expected[i].at_us);
        assert_int_equal(kill.slot, expected[i].slot);
    }
}

static void other_seeds_are_other_plans(void **state)
{
    struct chaos_plan plan = {.seed = 1, .rate = 20000, .for_ms = 30000, .slots = 4};
    struct chaos_kill kill;
    struct chaos_kill other;
    int same_times = 0;
    int same_slots = 0;

    (void)state;
    for (uint64_t i = 0; i < 600; i++) {
        plan.seed = 1;
        assert_true(chaos_plan_kill(&plan, i, &kill));
        plan.seed = 2;
        assert_true(chaos_plan_kill(&plan, i, &other));
        same_times += kill.at_us == other.at_us;
        same_slots += kill.slot == other.slot;
    }
    assert_in_range(same_times, 0, 5);
    assert_in_range(same_slots, 100, 200);
}

static void one_kill_a_period_anywhere_in_it(void **state)
{
    const struct chaos_plan plan = {.seed = 7, .rate = 20000, .for_ms = 30000, .slots = 3};
    int64_t sum = 0;
    unsigned slots[4] = {0};
    struct chaos_kill kill;

    (void)state;
    for (uint64_t i = 0; i < 600; i++) {
        assert_true(chaos_plan_kill(&plan, i, &kill));
        assert_in_range(kill.at_us, i * 50000, i * 50000 + 49999);
        assert_in_range(kill.slot, 1, 3);
        sum += kill.at_us - (int64_t)i * 50000;
        slots[kill.slot]++;
    }
    assert_in_range(sum / 600, 23000, 27000);
    for (int slot = 1; slot <= 3; slot++)
        assert_in_range(slots[slot], 160, 240);
    assert_false(chaos_plan_kill(&plan, 600, &kill));
    assert_false(chaos_plan_kill(&plan, UINT64_MAX, &kill));
}

static uint64_t count(const struct chaos_plan *plan)
{
    struct chaos_kill kill;
    uint64_t n = 0;
    int64_t before = -1;

    while (chaos_plan_kill(plan, n, &kill)) {
        assert_true(kill.at_us >= before && kill.at_us < plan->for_ms * 1000);
        assert_in_range(kill.slot, 1, plan->slots);
        before = kill.at_us;
        n++;
    }
    for (uint64_t more = 1; more < 10; more++)
        assert_false(chaos_plan_kill(plan, n + more, &kill));
    return n;
}

static void lasts_as_long_as_it_shall(void **state)
{
    static const struct {
        struct chaos_plan plan;
        uint64_t least;
        uint64_t most;
    } rows[] = {
        {{.rate = 1000000, .for_ms = 1000, .slots = 1024}, 1000, 1000},
        {{.rate = 3000, .for_ms = 10000, .slots = 1}, 29, 30},
        {{.rate = 7, .for_ms = 86400000, .slots = 2}, 604, 605},
        {{.rate = 1, .for_ms = 1000, .slots = 2}, 0, 1},
        {{.rate = 1000000, .for_ms = 1, .slots = 2}, 1, 1},
        {{.rate = 999999, .for_ms = 3600000, .slots = 2}, 3599996, 3599997},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t n = count(&rows[i].plan);

        if (n < rows[i].least || n > rows[i].most)
            fail_msg("row %zu: %llu kills", i, (unsigned long long)n);
    }
}

/* The last period is cut: its kill may lie behind the end. */
static void cut_period_may_have_no_kill(void **state)
{
    struct chaos_plan plan = {.rate = 1000, .for_ms = 500, .slots = 1};
    int with = 0;

    (void)state;
    for (plan.seed = 0; plan.seed < 200; plan.seed++)
        with += count(&plan) == 1;
    assert_in_range(with, 70, 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_42_is_always_the_same),
        cmocka_unit_test(other_seeds_are_other_plans),
        cmocka_unit_test(one_kill_a_period_anywhere_in_it),
        cmocka_unit_test(lasts_as_long_as_it_shall),
        cmocka_unit_test(cut_period_may_have_no_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
