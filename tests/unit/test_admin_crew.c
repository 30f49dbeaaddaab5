/* What probes say of a scoreboard (life/crew.h), and when something has changed (admin/pulse.h).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/pulse.h"
#include "cluster/slot.h"
#include "ipc/scoreboard.h"
#include "life/crew.h"

#define N_PLACES 4
#define NOW      100000
#define TIMEOUT  10000

static struct scoreboard *board;

static int set_up(void **state)
{
    (void)state;
    return scoreboard_new(N_PLACES, &board);
}

static int tear_down(void **state)
{
    (void)state;
    scoreboard_free(board);
    return 0;
}

static void put(size_t i, enum slot_state state, uint32_t number, int64_t heartbeat_ms)
{
    struct scoreboard_place place = {.state = state, .number = number, .worker = 10 + i, .pid = 1};

    scoreboard_set_place(scoreboard_at(board, i), &place);
    scoreboard_beat(scoreboard_at(board, i), heartbeat_ms);
}

static struct crew read_crew(int64_t hang_timeout_ms)
{
    struct crew crew;

    crew_read(board, NOW, hang_timeout_ms, &crew);
    return crew;
}

static void counts_workers_by_state(void **state)
{
    static const struct {
        enum slot_state state;
        uint32_t number;
        unsigned alive;
        unsigned serving;
    } rows[] = {
        {SLOT_EMPTY, 1, 0, 0},    {SLOT_STARTING, 1, 1, 0},   {SLOT_SERVING, 1, 1, 1},
        {SLOT_DRAINING, 1, 1, 0}, {SLOT_KILLED, 1, 1, 0},     {SLOT_BACKOFF, 1, 0, 0},
        {SLOT_SERVING, 0, 0, 0},  {SLOT_SERVING, 1024, 1, 1}, {SLOT_SERVING, 1025, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(0, rows[i].state, rows[i].number, NOW);
        struct crew crew = read_crew(TIMEOUT);
        assert_int_equal(crew.alive, rows[i].alive);
        assert_int_equal(crew.serving, rows[i].serving);
    }
}

static void adds_up_connections_of_those_who_live(void **state)
{
    (void)state;
    put(0, SLOT_SERVING, 1, NOW);
    put(1, SLOT_DRAINING, 1, NOW);
    put(2, SLOT_EMPTY, 2, NOW);
    put(3, SLOT_SERVING, 1025, NOW);
    for (size_t i = 0; i < N_PLACES; i++)
        scoreboard_count_connections(scoreboard_at(board, i), 3);
    assert_int_equal(read_crew(TIMEOUT).connections, 6);
}

static void lives_as_long_as_somebody_beats(void **state)
{
    static const struct {
        int64_t master_ms;
        int64_t beats_ms[2];
        int64_t hang_timeout_ms;
        const char *text;
        bool is_good;
    } rows[] = {
        {NOW, {NOW, NOW}, TIMEOUT, "alive", true},
        {NOW - 5000, {NOW, NOW}, TIMEOUT, "alive", true},
        {NOW - 5001, {NOW, NOW}, TIMEOUT, "the master has stood still for 5 s", false},
        {NOW, {NOW - TIMEOUT - 1, NOW}, TIMEOUT, "alive", true},
        {NOW, {NOW - TIMEOUT, NOW - TIMEOUT}, TIMEOUT, "alive", true},
        {NOW, {NOW - TIMEOUT - 1, NOW - 99999}, TIMEOUT, "all 2 workers hang", false},
        {NOW, {NOW - TIMEOUT - 1, NOW - 99999}, 0, "alive", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scoreboard_instance instance = {.beat_ms = rows[i].master_ms};
        put(0, SLOT_SERVING, 1, rows[i].beats_ms[0]);
        put(1, SLOT_SERVING, 2, rows[i].beats_ms[1]);
        put(2, SLOT_SERVING, 1025, NOW); /* another role: it does not count */
        struct crew crew = read_crew(rows[i].hang_timeout_ms);
        struct verdict verdict = crew_judge_life(&instance, &crew, NOW);
        assert_string_equal(verdict.text, rows[i].text);
        assert_int_equal(verdict.is_good, rows[i].is_good);
    }
}

static void nobody_there_is_no_reason_to_restart(void **state)
{
    struct scoreboard_instance instance = {.beat_ms = NOW};
    struct crew crew = read_crew(TIMEOUT);

    (void)state;
    assert_true(crew_judge_life(&instance, &crew, NOW).is_good);
}

static void is_ready_while_somebody_serves(void **state)
{
    static const struct {
        enum scoreboard_condition condition;
        unsigned serving;
        const char *text;
        bool is_good;
    } rows[] = {
        {SCOREBOARD_SERVING, 2, "2 of 2 workers serve", true},
        {SCOREBOARD_SERVING, 1, "1 of 2 workers serve", true},
        {SCOREBOARD_RELOADING, 1, "1 of 2 workers serve", true},
        {SCOREBOARD_STARTING, 0, "no worker serves, the instance is starting", false},
        {SCOREBOARD_DEGRADED, 0, "no worker serves, the instance is degraded", false},
        {SCOREBOARD_PAUSED, 0, "no worker serves, the instance is paused", false},
        {SCOREBOARD_STOPPING, 2, "the instance is stopping", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scoreboard_instance instance = {.condition = rows[i].condition};
        struct crew crew = {.serving = rows[i].serving, .strength = 2};
        struct verdict verdict = crew_judge_readiness(&instance, &crew);
        assert_string_equal(verdict.text, rows[i].text);
        assert_int_equal(verdict.is_good, rows[i].is_good);
    }
}

static void has_started_once_somebody_has_served(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCOREBOARD_CONDITIONS; i++) {
        struct scoreboard_instance instance = {.condition = i};
        assert_int_equal(crew_judge_start(&instance).is_good, i != SCOREBOARD_STARTING);
    }
}

static void the_pulse_tells_people_from_traffic(void **state)
{
    struct pulse before, after;

    (void)state;
    put(0, SLOT_SERVING, 1, NOW);
    pulse_read(board, &before);
    put(0, SLOT_SERVING, 1, NOW + 1000); /* a heartbeat is no news */
    pulse_read(board, &after);
    assert_memory_equal(&after, &before, sizeof after);

    scoreboard_count_connections(scoreboard_at(board, 0), 1);
    pulse_read(board, &after);
    assert_true(after.shape == before.shape && after.traffic != before.traffic);

    pulse_read(board, &before);
    put(0, SLOT_DRAINING, 1, NOW);
    pulse_read(board, &after);
    assert_true(after.shape != before.shape && after.traffic == before.traffic);

    struct scoreboard_instance instance = {.condition = SCOREBOARD_STOPPING};
    pulse_read(board, &before);
    scoreboard_set_instance(board, &instance);
    pulse_read(board, &after);
    assert_true(after.shape != before.shape);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(counts_workers_by_state),
        TEST(adds_up_connections_of_those_who_live),
        TEST(lives_as_long_as_somebody_beats),
        TEST(nobody_there_is_no_reason_to_restart),
        TEST(is_ready_while_somebody_serves),
        TEST(has_started_once_somebody_has_served),
        TEST(the_pulse_tells_people_from_traffic),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
