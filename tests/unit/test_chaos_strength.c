/*
 * Who serves, by what the server tells, and how long a weakness lasts.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "zombiectl/chaos_strength.h"

static void hear(struct chaos_strength *strength, const char *what, int slot, int worker,
                 int64_t now_us)
{
    json_t *event = json_pack("{s:s, s:s, s:i, s:i}", "event", what, "role", "worker", "slot", slot,
                              "worker", worker);

    assert_non_null(event);
    chaos_strength_hear(strength, event, now_us);
    json_decref(event);
}

static void learn(struct chaos_strength *strength, const char *text, int64_t now_us)
{
    json_t *status = json_loads(text, 0, NULL);

    assert_non_null(status);
    chaos_strength_learn(strength, status, now_us);
    json_decref(status);
}

#define PROCESS(slot, worker, state) \
    "{\"role\":\"worker\",\"slot\":" slot ",\"worker\":" worker ",\"state\":\"" state "\"}"

/* Two workers serve in the slots 1 and 2. */
static void begin(struct chaos_strength *strength)
{
    *strength = (struct chaos_strength){0};
    learn(strength,
          "{\"workers\":2,\"processes\":[" PROCESS("1", "1", "serving") "," PROCESS("2", "2",
                                                                                    "serving") "]}",
          0);
    assert_true(chaos_strength_is_settled(strength));
}

static void learns_who_serves(void **state)
{
    static const struct {
        const char *name;
        const char *processes;
        int64_t serving;
    } rows[] = {
        {"nobody", "", 0},
        {"one", PROCESS("1", "7", "serving"), 1},
        {"one of two", PROCESS("1", "7", "serving") "," PROCESS("2", "8", "starting"), 1},
        {"a slot that is empty", PROCESS("1", "null", "empty"), 0},
        {"the largest slot", PROCESS("1024", "7", "serving"), 1},
        {"no slot", PROCESS("1025", "7", "serving"), 0},
        {"no slot either", PROCESS("0", "7", "serving"), 0},
        {"a number that is a text", PROCESS("\"1\"", "7", "serving"), 0},
        {"the admin child", "{\"role\":\"admin\",\"slot\":null,\"worker\":3,\"state\":\"serving\"}",
         0},
        {"a candidate beside its holder",
         PROCESS("1", "7", "serving") ",{\"role\":\"worker\",\"slot\":1,\"worker\":8,"
                                      "\"state\":\"serving\",\"candidate\":true}",
         1},
        {"one that leaves",
         "{\"role\":\"worker\",\"slot\":1,\"worker\":8,\"state\":\"serving\",\"leaving\":true}", 0},
        {"no objects", "1,null,[]", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chaos_strength strength = {0};
        json_t *status = json_pack("{s:i}", "workers", 2);
        json_t *processes;
        char text[512];

        (void)snprintf(text, sizeof(text), "[%s]", rows[i].processes);
        processes = json_loads(text, 0, NULL);
        assert_non_null(processes);
        assert_int_equal(json_object_set_new(status, "processes", processes), 0);
        chaos_strength_learn(&strength, status, 0);
        if (chaos_strength_count(&strength) != rows[i].serving)
            fail_msg("%s: %d", rows[i].name, (int)chaos_strength_count(&strength));
        json_decref(status);
    }
}

static void measures_from_the_kill_to_full_strength(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 1, 1000), 0);
    assert_int_equal(chaos_strength_count(&strength), 1); /* though nobody has noticed */
    assert_int_equal(chaos_strength_in(&strength, 1), 0);
    assert_int_equal(chaos_strength_in(&strength, 2), 2);
    hear(&strength, "death", 1, 1, 1020);
    hear(&strength, "birth", 1, 3, 1030);
    assert_false(chaos_strength_is_full(&strength));
    assert_int_equal(strength.recovery.n, 0);
    hear(&strength, "ready", 1, 3, 1100);
    assert_true(chaos_strength_is_settled(&strength));
    assert_int_equal(strength.recovery.n, 1);
    assert_int_equal(strength.recovery.max_us, 100);
    assert_int_equal(strength.deaths, 1);
    assert_int_equal(chaos_strength_in(&strength, 1), 3);
    chaos_strength_clear(&strength);
}

static void strength_is_full_when_the_last_is_back(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 1, 0), 0);
    assert_int_equal(chaos_strength_strike(&strength, 2, 50), 0);
    hear(&strength, "death", 1, 1, 60);
    hear(&strength, "death", 2, 2, 70);
    hear(&strength, "ready", 2, 4, 80);
    assert_int_equal(chaos_strength_count(&strength), 1);
    assert_int_equal(strength.recovery.n, 0);
    hear(&strength, "ready", 1, 3, 100);
    assert_int_equal(strength.recovery.n, 2);
    assert_int_equal(chaos_spread_percentile(&strength.recovery, 50), 50);
    assert_int_equal(strength.recovery.max_us, 100);
    chaos_strength_clear(&strength);
}

static void worker_may_be_replaced_before_it_is_gone(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 2, 0), 0);
    hear(&strength, "ready", 2, 3, 40);
    assert_true(chaos_strength_is_full(&strength));
    assert_false(chaos_strength_is_settled(&strength));
    assert_int_equal(strength.recovery.max_us, 40);
    hear(&strength, "death", 2, 2, 90);
    assert_true(chaos_strength_is_settled(&strength));
    assert_int_equal(strength.recovery.n, 1);
    assert_int_equal(strength.deaths, 1);
    assert_int_equal(chaos_strength_in(&strength, 2), 3);
    chaos_strength_clear(&strength);
}

static void one_that_leaves_dies_once(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 2, 0), 0);
    hear(&strength, "leaving", 2, 2, 10);
    hear(&strength, "ready", 2, 3, 20);
    hear(&strength, "death", 2, 2, 30);
    assert_int_equal(strength.deaths, 1);
    assert_true(chaos_strength_is_settled(&strength));
    chaos_strength_clear(&strength);
}

static void other_deaths_count_not(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    hear(&strength, "death", 1, 1, 10);
    assert_int_equal(chaos_strength_count(&strength), 1);
    hear(&strength, "ready", 1, 3, 20);
    hear(&strength, "ready", 1, 1, 30); /* an old one is no news */
    assert_int_equal(chaos_strength_in(&strength, 1), 3);
    hear(&strength, "death", 1, 1, 40);
    hear(&strength, "chaos", 1, 3, 40);
    assert_true(chaos_strength_is_settled(&strength));
    assert_int_equal(strength.deaths, 0);
    assert_int_equal(strength.recovery.n, 0);
    chaos_strength_clear(&strength);
}

static void spared_worker_serves_on(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 1, 0), 0);
    assert_true(chaos_strength_spare(&strength, 1, 10));
    assert_true(chaos_strength_is_settled(&strength));
    assert_int_equal(chaos_strength_in(&strength, 1), 1);
    assert_int_equal(strength.recovery.n, 0);
    assert_false(chaos_strength_spare(&strength, 1, 10));

    assert_int_equal(chaos_strength_strike(&strength, 1, 20), 0);
    hear(&strength, "death", 1, 1, 30);
    assert_false(chaos_strength_spare(&strength, 1, 40)); /* it is gone all the same */
    assert_int_equal(strength.deaths, 1);
    chaos_strength_clear(&strength);
}

static void status_says_no_word_about_who_is_struck(void **state)
{
    struct chaos_strength strength;

    (void)state;
    begin(&strength);
    assert_int_equal(chaos_strength_strike(&strength, 1, 0), 0);
    learn(&strength,
          "{\"workers\":2,\"processes\":[" PROCESS("1", "1", "serving") "," PROCESS("2", "2",
                                                                                    "serving") "]}",
          10);
    assert_int_equal(chaos_strength_count(&strength), 1);
    learn(&strength,
          "{\"workers\":2,\"processes\":[" PROCESS("1", "3", "serving") "," PROCESS("2", "2",
                                                                                    "serving") "]}",
          20);
    assert_true(chaos_strength_is_full(&strength));
    assert_int_equal(strength.recovery.max_us, 20);
    learn(&strength, "{\"workers\":3,\"processes\":[" PROCESS("1", "3", "serving") "]}", 30);
    assert_false(chaos_strength_is_full(&strength));
    chaos_strength_clear(&strength);
}

static void takes_any_number_of_strokes(void **state)
{
    struct chaos_strength strength = {.wanted = 2};

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        hear(&strength, "ready", 1, i, i);
        assert_int_equal(chaos_strength_strike(&strength, 1, i), 0);
        hear(&strength, "death", 1, i, i);
    }
    assert_int_equal(strength.n_strokes, 1000);
    hear(&strength, "ready", 1, 1001, 1001);
    hear(&strength, "ready", 2, 1002, 1001);
    assert_int_equal(strength.n_strokes, 0);
    assert_int_equal(strength.recovery.n, 1000);
    assert_int_equal(strength.deaths, 1000);
    chaos_strength_clear(&strength);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_who_serves),
        cmocka_unit_test(measures_from_the_kill_to_full_strength),
        cmocka_unit_test(strength_is_full_when_the_last_is_back),
        cmocka_unit_test(worker_may_be_replaced_before_it_is_gone),
        cmocka_unit_test(one_that_leaves_dies_once),
        cmocka_unit_test(other_deaths_count_not),
        cmocka_unit_test(spared_worker_serves_on),
        cmocka_unit_test(status_says_no_word_about_who_is_struck),
        cmocka_unit_test(takes_any_number_of_strokes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
