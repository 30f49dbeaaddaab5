/*
 * What is counted on the scoreboard: answers by class, method and duration, what
 * the master counts and measures, and how workers of a number ended.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/scoreboard.h"

static struct scoreboard *scoreboard;

static int setup(void **state)
{
    (void)state;
    return scoreboard_new(3, &scoreboard);
}

static int teardown(void **state)
{
    (void)state;
    scoreboard_free(scoreboard);
    return 0;
}

static struct scoreboard_traffic read_traffic(size_t i)
{
    struct scoreboard_traffic traffic;

    memset(&traffic, 0xff, sizeof(traffic));
    scoreboard_read_traffic(scoreboard_at(scoreboard, i), &traffic);
    return traffic;
}

static uint64_t sum(const uint64_t *numbers, size_t n)
{
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++)
        all += numbers[i];
    return all;
}

static void answers_have_a_class_and_a_method(void **state)
{
    static const struct {
        int status;
        size_t class;
    } rows[] = {
        {100, 0}, {199, 0}, {200, 1}, {299, 1}, {304, 2}, {399, 2},       {400, 3},
        {499, 3}, {500, 4}, {599, 4}, {99, 4},  {600, 4}, {INT32_MIN, 4}, {INT32_MAX, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned method = 0; method < SCOREBOARD_METHODS; method++) {
            struct scoreboard_answer answer = {
                .method = (enum scoreboard_method)method, .status = rows[i].status, .sent = 1};
            struct scoreboard_traffic before = read_traffic(1), after;

            scoreboard_account(scoreboard_at(scoreboard, 1), &answer);
            after = read_traffic(1);
            assert_int_equal(after.answers[rows[i].class][method],
                             before.answers[rows[i].class][method] + 1);
            before.answers[rows[i].class][method]++;
            assert_memory_equal(before.answers, after.answers, sizeof(after.answers));
            assert_int_equal(after.sent, before.sent + 1);
        }
    }
    /* The neighbours have nothing of it. */
    for (size_t i = 0; i < 3; i += 2) {
        static const struct scoreboard_traffic none;
        struct scoreboard_traffic traffic = read_traffic(i);

        assert_memory_equal(&traffic, &none, sizeof(none));
    }
}

static void bounds_rise(void **state)
{
    (void)state;
    assert_int_equal(scoreboard_latency_bounds_us[0], 500);
    assert_int_equal(scoreboard_latency_bounds_us[SCOREBOARD_LATENCY_BOUNDS - 1], 30000000);
    assert_int_equal(scoreboard_recovery_bounds_us[0], 500);
    assert_int_equal(scoreboard_recovery_bounds_us[SCOREBOARD_RECOVERY_BOUNDS - 1], 30000000);
    for (size_t i = 1; i < SCOREBOARD_LATENCY_BOUNDS; i++)
        assert_true(scoreboard_latency_bounds_us[i - 1] < scoreboard_latency_bounds_us[i]);
    for (size_t i = 1; i < SCOREBOARD_RECOVERY_BOUNDS; i++)
        assert_true(scoreboard_recovery_bounds_us[i - 1] < scoreboard_recovery_bounds_us[i]);
}

static void account_duration(uint64_t duration_us)
{
    struct scoreboard_answer answer = {.status = 200, .duration_us = duration_us};

    scoreboard_account(scoreboard_at(scoreboard, 0), &answer);
}

/* A bound belongs to its place, the next microsecond to the next one. */
static void durations_have_their_places(void **state)
{
    struct scoreboard_traffic traffic;
    uint64_t all = 0;

    (void)state;
    account_duration(0);
    for (size_t i = 0; i < SCOREBOARD_LATENCY_BOUNDS; i++) {
        uint64_t bound = scoreboard_latency_bounds_us[i];

        account_duration(bound);
        account_duration(bound + 1);
        traffic = read_traffic(0);
        assert_int_equal(traffic.latency[i],
                         2); /* the one above the bound before, or 0, and this */
        assert_int_equal(traffic.latency[i + 1], 1);
        all += 2 * bound + 1;
    }
    assert_int_equal(sum(traffic.latency, SCOREBOARD_LATENCY_BOUNDS + 1),
                     2 * SCOREBOARD_LATENCY_BOUNDS + 1);
    assert_true(traffic.latency_sum_us == all);
    account_duration(UINT64_MAX / 2);
    assert_int_equal(read_traffic(0).latency[SCOREBOARD_LATENCY_BOUNDS], 2);
}

static void bytes_and_connections_add_up(void **state)
{
    struct scoreboard_slot *slot = scoreboard_at(scoreboard, 0);
    struct scoreboard_answer answer = {.status = 200, .received = 1, .sent = UINT64_C(1) << 40};

    (void)state;
    scoreboard_account(slot, &answer);
    answer.received = UINT64_C(1) << 41;
    answer.sent = 2;
    scoreboard_account(slot, &answer);
    scoreboard_count_accepted(slot);
    scoreboard_count_accepted(slot);
    assert_true(read_traffic(0).received == (UINT64_C(1) << 41) + 1);
    assert_true(read_traffic(0).sent == (UINT64_C(1) << 40) + 2);
    assert_int_equal(read_traffic(0).accepted, 2);
}

static void recoveries_have_their_places(void **state)
{
    uint64_t places[SCOREBOARD_RECOVERY_BOUNDS + 1], all = 0, expected = 0;

    (void)state;
    for (size_t i = 0; i < SCOREBOARD_RECOVERY_BOUNDS; i++) {
        scoreboard_recovered(scoreboard, scoreboard_recovery_bounds_us[i]);
        expected += scoreboard_recovery_bounds_us[i];
    }
    scoreboard_recovered(scoreboard, 30000001);
    scoreboard_recovered(scoreboard, 1);
    scoreboard_read_recovery(scoreboard, places, &all);
    assert_int_equal(places[0], 2);
    for (size_t i = 1; i <= SCOREBOARD_RECOVERY_BOUNDS; i++)
        assert_int_equal(places[i], 1);
    assert_true(all == expected + 30000002);
}

static void counts_are_each_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCOREBOARD_COUNTS; i++)
        for (unsigned n = 0; n <= i; n++)
            scoreboard_count(scoreboard, (enum scoreboard_count)i);
    for (unsigned i = 0; i < SCOREBOARD_COUNTS; i++)
        assert_int_equal(scoreboard_read_count(scoreboard, (enum scoreboard_count)i), i + 1);
}

static void keeps_the_instance(void **state)
{
    static const struct scoreboard_instance wanted = {INT64_MAX,  7, SCOREBOARD_DEGRADED,
                                                      UINT32_MAX, 3, 1024};
    struct scoreboard_instance instance;

    (void)state;
    scoreboard_read_instance(scoreboard, &instance);
    assert_int_equal(instance.started_ms, 0);
    assert_int_equal(instance.condition, SCOREBOARD_STARTING);
    scoreboard_set_instance(scoreboard, &wanted);
    scoreboard_read_instance(scoreboard, &instance);
    assert_true(instance.started_ms == wanted.started_ms);
    assert_int_equal(instance.beat_ms, 7);
    assert_int_equal(instance.condition, SCOREBOARD_DEGRADED);
    assert_int_equal(instance.generation, UINT32_MAX);
    assert_int_equal(instance.upgrades, 3);
    assert_int_equal(instance.strength, 1024);
}

static void respawns_are_counted_by_the_death_before(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SCOREBOARD_COUNTS; kind++)
        for (unsigned i = 0; i <= kind; i++)
            scoreboard_count_respawn(scoreboard, (enum scoreboard_count)kind);
    for (unsigned kind = 0; kind < SCOREBOARD_COUNTS; kind++) {
        bool is_death = scoreboard_death_name((enum scoreboard_count)kind) != NULL;

        assert_int_equal(scoreboard_read_respawns(scoreboard, (enum scoreboard_count)kind),
                         is_death ? kind + 1 : 0);
        assert_int_equal(scoreboard_read_count(scoreboard, (enum scoreboard_count)kind), 0);
    }
    assert_int_equal(scoreboard_respawns(scoreboard), 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9);
}

static void tallies_are_of_numbers(void **state)
{
    static const unsigned numbers[] = {1, 2, 1024, 1025, SCOREBOARD_NUMBERS};
    struct scoreboard_tally tally;

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct scoreboard_tally wanted = {numbers[i] + 1, UINT64_MAX - i, 0x8b, INT64_MAX,
                                          SCOREBOARD_DEATHS_OOM};

        scoreboard_set_tally(scoreboard, numbers[i], &wanted);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        scoreboard_read_tally(scoreboard, numbers[i], &tally);
        assert_int_equal(tally.respawns, numbers[i] + 1);
        assert_true(tally.exit_worker == UINT64_MAX - i);
        assert_int_equal(tally.exit_status, 0x8b);
        assert_true(tally.exit_ms == INT64_MAX);
        assert_int_equal(tally.exit_kind, SCOREBOARD_DEATHS_OOM);
    }
    scoreboard_read_tally(scoreboard, 3, &tally);
    assert_int_equal(tally.respawns, 0);
    assert_int_equal(tally.exit_worker, 0);
}

/* What is no number has no tally, and is in nobody else's memory. */
static void other_numbers_have_none(void **state)
{
    static const unsigned numbers[] = {0, SCOREBOARD_NUMBERS + 1, UINT32_MAX};
    static const struct scoreboard_tally some = {.respawns = 1, .exit_worker = 2};
    struct scoreboard_place place;

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct scoreboard_tally tally = some;

        scoreboard_set_tally(scoreboard, numbers[i], &some);
        scoreboard_read_tally(scoreboard, numbers[i], &tally);
        assert_int_equal(tally.respawns, 0);
        assert_int_equal(tally.exit_worker, 0);
    }
    scoreboard_read_place(scoreboard_at(scoreboard, 0), &place);
    assert_int_equal(place.worker, 0);
}

#define ROUNDS 500000

/* In each all members are the same number. */
static void write_tallies(void)
{
    for (unsigned i = 1; i <= ROUNDS; i++) {
        struct scoreboard_tally tally = {i, i, i, i, i};

        scoreboard_set_tally(scoreboard, 5, &tally);
        for (volatile int pause = 0; pause < 20; pause = pause + 1)
            continue;
    }
}

static bool is_whole(const struct scoreboard_tally *tally)
{
    return tally->exit_worker == tally->respawns &&
           (uint64_t)tally->exit_status == tally->respawns &&
           (uint64_t)tally->exit_ms == tally->respawns && tally->exit_kind == tally->respawns;
}

/* A mixture that stands still comes from a writer that lost its processor in the middle. */
static bool is_mixture(void)
{
    struct scoreboard_tally tally, again;

    scoreboard_read_tally(scoreboard, 5, &tally);
    if (is_whole(&tally))
        return false;
    scoreboard_read_tally(scoreboard, 5, &again);
    return again.respawns != tally.respawns || is_whole(&again);
}

static bool sees_hardly_a_mixture(void)
{
    long reads = 0, mixtures = 0;
    int status;
    pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        write_tallies();
        _exit(0);
    }
    while (waitpid(writer, &status, WNOHANG) == 0) {
        for (int i = 0; i < 100; i++, reads++)
            mixtures += is_mixture();
    }
    assert_int_equal(status, 0);
    print_message("# %ld mixtures in %ld reads\n", mixtures, reads);
    return mixtures <= reads / 50 + 5;
}

/* On a busy machine a writer may lose its processor in the middle again and again. */
static void a_reader_sees_whole_tallies(void **state)
{
    bool seen = false;

    (void)state;
    for (int attempt = 0; attempt < 8 && !seen; attempt++)
        seen = sees_hardly_a_mixture();
    assert_true(seen);
}

static void deaths_and_conditions_have_names(void **state)
{
    static const char *const deaths[SCOREBOARD_COUNTS] = {
        NULL,   "retired", "chaos", "left", "exit", "signal", "oom",
        "hang", "killed",  NULL,    NULL,   NULL,   NULL,     NULL};
    static const char *const conditions[SCOREBOARD_CONDITIONS] = {
        "starting", "serving", "reloading", "degraded", "paused", "stopping"};

    (void)state;
    for (unsigned i = 0; i < SCOREBOARD_COUNTS; i++) {
        const char *name = scoreboard_death_name((enum scoreboard_count)i);

        if (deaths[i] == NULL)
            assert_null(name);
        else
            assert_string_equal(name, deaths[i]);
    }
    assert_null(scoreboard_death_name((enum scoreboard_count)UINT32_MAX));
    for (unsigned i = 0; i < SCOREBOARD_CONDITIONS; i++)
        assert_string_equal(scoreboard_condition_name((enum scoreboard_condition)i), conditions[i]);
    assert_string_equal(scoreboard_condition_name(SCOREBOARD_CONDITIONS), "unknown");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_have_a_class_and_a_method, setup, teardown),
        cmocka_unit_test(bounds_rise),
        cmocka_unit_test_setup_teardown(durations_have_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_and_connections_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(recoveries_have_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(respawns_are_counted_by_the_death_before, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_are_each_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_instance, setup, teardown),
        cmocka_unit_test_setup_teardown(tallies_are_of_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(other_numbers_have_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_sees_whole_tallies, setup, teardown),
        cmocka_unit_test(deaths_and_conditions_have_names),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
