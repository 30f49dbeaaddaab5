/*
 * Who hangs and who could not have beaten: clocks of our own, tick by tick.
 */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/hang.h"

#define LENGTH(array)   (sizeof(array) / sizeof((array)[0]))
#define HANG_TIMEOUT_MS 10000
#define HOUR_MS         3600000

/* A master, the worker it looks at, and the machine that both are on. */
struct rig {
    struct hang_watch watch;
    struct hang_pulse pulse;
    struct hang_clocks clocks;
};

static struct rig start(void)
{
    struct rig rig = {.clocks = {5000000, 7000000, 123456789}};

    hang_tick(&rig.watch, &rig.clocks);
    assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, rig.clocks.monotonic_ms), 0);
    return rig;
}

/* The next tick of a machine that runs on, after passed_ms. */
static void tick(struct rig *rig, int64_t passed_ms, int64_t throttled_us)
{
    rig->clocks.monotonic_ms += passed_ms;
    rig->clocks.boottime_ms += passed_ms;
    rig->clocks.throttled_us += throttled_us;
    hang_tick(&rig->watch, &rig->clocks);
}

/* The heartbeat stands where it was seen last. */
static int64_t silence(struct rig *rig)
{
    return hang_silence_ms(&rig->watch, &rig->pulse, rig->pulse.heartbeat_ms);
}

static void the_first_tick_only_notes_the_clocks(void **state)
{
    static const struct hang_clocks cases[] = {
        {0, 0, 0},
        {1, 1, -1},
        {HOUR_MS, HOUR_MS, 0},
        {1000, 900000, 5000000},
        {INT64_MAX / 2, INT64_MAX / 2, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct rig rig = {.clocks = cases[i]};

        hang_tick(&rig.watch, &rig.clocks);
        assert_int_equal(rig.watch.fair_ms, 0);
        tick(&rig, HANG_TICK_MS, 0);
        assert_int_equal(rig.watch.fair_ms, HANG_TICK_MS);
    }
}

/* What a second tick counts after one at {5000, 8000, 40000}. */
static void counts_what_was_fair(void **state)
{
    static const struct {
        const char *title;
        struct hang_clocks clocks;
        int64_t fair_ms;
    } cases[] = {
        {"no time", {5000, 8000, 40000}, 0},
        {"one millisecond", {5001, 8001, 40000}, 1},
        {"a tick", {6000, 9000, 40000}, 1000},
        {"two ticks", {7000, 10000, 40000}, 2000},
        {"just more", {7001, 10001, 40000}, 100},
        {"an hour", {3605000, 3608000, 40000}, 100},
        {"all there is", {INT64_MAX, INT64_MAX, 40000}, 100},

        {"a suspend too short", {6000, 9500, 40000}, 1000},
        {"the shortest suspend", {6000, 9501, 40000}, 0},
        {"a suspend for an hour", {6000, 3609000, 40000}, 0},
        {"a suspend after a stop", {3605000, 7208000, 40000}, 0},
        {"a suspend for ever", {5000, INT64_MAX, 40000}, 0},

        {"throttled for less than a millisecond", {6000, 9000, 40999}, 1000},
        {"throttled for a millisecond", {6000, 9000, 41000}, 999},
        {"half of it", {6000, 9000, 540000}, 500},
        {"just more than a tenth is left", {6000, 9000, 939000}, 101},
        {"a tenth is left", {6000, 9000, 940000}, 100},
        {"just less than a tenth is left", {6000, 9000, 941000}, 100},
        {"all of it", {6000, 9000, 1040000}, 100},
        {"three times all of it", {6000, 9000, 3040000}, 100},
        {"for ever", {6000, 9000, INT64_MAX}, 100},
        {"a tenth is rounded up", {5011, 8011, 1040000}, 2},
        {"a tenth of a millisecond", {5001, 8001, 1040000}, 1},
        {"throttled without time", {5000, 8000, 1040000}, 0},
        {"an hour, throttled for half a second", {3605000, 3608000, 540000}, 10},
        {"an hour, throttled for all of it", {3605000, 3608000, 3600040000}, 10},
        {"throttled and suspended", {6000, 10000, 140000}, 0},

        {"back: monotonic", {4000, 9000, 40000}, 0},
        {"back: boottime", {6000, 1000, 40000}, 1000},
        {"back: throttled", {6000, 9000, 0}, 1000},
        {"back: all", {0, 0, 0}, 0},
        {"throttled cannot be read any more", {6000, 9000, -1}, 1000},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct hang_watch watch = {.fair_ms = 0};

        hang_tick(&watch, &(struct hang_clocks){5000, 8000, 40000});
        hang_tick(&watch, &cases[i].clocks);
        if (watch.fair_ms != cases[i].fair_ms)
            fail_msg("%s: %" PRId64 " ms", cases[i].title, watch.fair_ms);
    }
}

/* The throttled time as read at ticks of a second, and the fair time at the last of them. */
static void takes_throttled_time_as_it_comes(void **state)
{
    static const struct {
        const char *title;
        int64_t throttled_us[5];
        int64_t fair_ms;
    } cases[] = {
        {"all of it", {0, 500000, 1000000, 1500000, 2000000}, 2000},
        {"never read", {-1, -1, -1, -1, -1}, 4000},
        {"unreadable at first", {-1, -1, 9000000, 9500000, 10000000}, 3000},
        {"unreadable later", {0, 500000, 1000000, -1, -1}, 3000},
        {"unreadable in between", {0, 500000, -1, 1500000, 2000000}, 3000},
        {"unreadable now and then", {0, -1, 1000000, -1, 2000000}, 4000},
        {"back once", {9000000, 9500000, 0, 500000, 1000000}, 2500},
        {"back by a little", {9000000, 8999999, 9499999, 9999999, 10499999}, 2500},
        {"back each time", {4000000, 3000000, 2000000, 1000000, 0}, 4000},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct hang_watch watch = {.fair_ms = 0};

        for (int n = 0; n < 5; n++) {
            int64_t now_ms = (n + 1) * HANG_TICK_MS;
            hang_tick(&watch, &(struct hang_clocks){now_ms, now_ms, cases[i].throttled_us[n]});
        }
        if (watch.fair_ms != cases[i].fair_ms)
            fail_msg("%s: %" PRId64 " ms", cases[i].title, watch.fair_ms);
    }
}

/* Clocks that went back go on from there. */
static void goes_on_after_clocks_went_back(void **state)
{
    struct rig rig = start();

    (void)state;
    tick(&rig, -4000000, -100000000);
    assert_int_equal(silence(&rig), 0);
    tick(&rig, HANG_TICK_MS, 0);
    assert_int_equal(silence(&rig), HANG_TICK_MS);
    tick(&rig, HANG_TICK_MS, 500000);
    assert_int_equal(silence(&rig), HANG_TICK_MS + 500);
}

/* The worker beats once a second, at any phase; the ticks are early and late. */
static void a_beating_worker_is_never_silent_for_long(void **state)
{
    static const int64_t late_ms[] = {0, 1, 250, -250, 999, -900, 0, 40};

    (void)state;
    for (int64_t phase_ms = 0; phase_ms < HANG_TICK_MS; phase_ms += 37) {
        struct rig rig = start();

        for (int i = 0; i < 500; i++) {
            tick(&rig, HANG_TICK_MS + late_ms[(size_t)i % LENGTH(late_ms)], 0);
            int64_t now_ms = rig.clocks.monotonic_ms;
            int64_t beat_ms = now_ms - (now_ms + phase_ms) % HANG_TICK_MS;
            int64_t silence_ms = hang_silence_ms(&rig.watch, &rig.pulse, beat_ms);

            if (silence_ms < 0 || silence_ms > 2 * HANG_TICK_MS)
                fail_msg("phase %" PRId64 ", tick %d: %" PRId64 " ms", phase_ms, i, silence_ms);
        }
    }
}

/* In a small quota it is found later, and no later than after ten times as long. */
static void a_stopped_worker_is_found(void **state)
{
    static const struct {
        int64_t tick_ms;
        int64_t throttled_us; /* each tick */
        int ticks;
    } cases[] = {
        {1000, 0, 10},        {1000, 250000, 14},   {1000, 500000, 20},      {1000, 900000, 100},
        {1000, 1000000, 100}, {1000, 1500000, 100}, {1000, 1000000000, 100}, {500, 0, 20},
        {2000, 0, 5},         {2000, 2000000, 50},  {5000, 0, 100},          {7, 0, 1429},
        {7, 7000, 10000},     {1003, 1003000, 100},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct rig rig = start();
        int ticks = 0;

        while (silence(&rig) < HANG_TIMEOUT_MS && ticks <= cases[i].ticks) {
            tick(&rig, cases[i].tick_ms, cases[i].throttled_us);
            ticks++;
        }
        if (ticks != cases[i].ticks)
            fail_msg("ticks of %" PRId64 " ms, throttled for %" PRId64 " us: found after %d",
                     cases[i].tick_ms, cases[i].throttled_us, ticks);
    }
}

/* SIGSTOP to all, or a machine too busy for the master: it finds its workers old, and waits. */
static void a_stopped_master_accuses_nobody(void **state)
{
    struct rig rig = start();
    struct hang_pulse hanging = {.seen = false};

    (void)state;
    assert_int_equal(hang_silence_ms(&rig.watch, &hanging, 1), 0);
    for (int i = 0; i < 4; i++)
        tick(&rig, HANG_TICK_MS, 0);
    assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, rig.clocks.monotonic_ms), 0);
    tick(&rig, HOUR_MS, 0);
    assert_int_equal(silence(&rig), HANG_TICK_MS / 10);
    assert_int_equal(hang_silence_ms(&rig.watch, &hanging, 1),
                     4 * HANG_TICK_MS + HANG_TICK_MS / 10);
    tick(&rig, HANG_TICK_MS, 0);
    assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, rig.clocks.monotonic_ms), 0);
    assert_int_equal(hang_silence_ms(&rig.watch, &hanging, 1),
                     5 * HANG_TICK_MS + HANG_TICK_MS / 10);
}

static void a_suspend_adds_nothing(void **state)
{
    static const int64_t suspended_ms[] = {501,     1000,         2000, HANG_TIMEOUT_MS,
                                           HOUR_MS, INT64_MAX / 2};

    (void)state;
    for (size_t i = 0; i < LENGTH(suspended_ms); i++) {
        struct rig rig = start();

        tick(&rig, HANG_TICK_MS, 0);
        rig.clocks.boottime_ms += suspended_ms[i];
        tick(&rig, 300, 0);
        assert_int_equal(silence(&rig), HANG_TICK_MS);
        tick(&rig, HANG_TICK_MS, 0);
        assert_int_equal(silence(&rig), 2 * HANG_TICK_MS);
    }
}

/* Whatever a worker has stored, another value is a sign of life and the same one is none. */
static void any_change_is_a_sign_of_life(void **state)
{
    static const int64_t heartbeats_ms[] = {0,         1,         0,  -1, 5000000, 4999999,
                                            INT64_MAX, INT64_MIN, 42, 0,  HOUR_MS};
    struct rig rig = start();

    (void)state;
    for (size_t i = 0; i < LENGTH(heartbeats_ms); i++) {
        tick(&rig, HANG_TICK_MS, 0);
        assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, heartbeats_ms[i]), 0);
        for (int n = 1; n <= 3; n++) {
            tick(&rig, HANG_TICK_MS, 0);
            assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, heartbeats_ms[i]),
                             n * HANG_TICK_MS);
        }
    }
}

/* A look between two ticks neither adds time nor takes it away. */
static void looking_changes_nothing(void **state)
{
    struct rig rig = start();

    (void)state;
    tick(&rig, HANG_TICK_MS, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(silence(&rig), HANG_TICK_MS);
    tick(&rig, HANG_TICK_MS, 0);
    assert_int_equal(silence(&rig), 2 * HANG_TICK_MS);
}

/* Born into a place whose last worker hung, with whatever heartbeat, or none yet. */
static void a_new_worker_starts_at_zero(void **state)
{
    static const int64_t heartbeats_ms[] = {0, 1, 5000000, -1, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < LENGTH(heartbeats_ms); i++) {
        struct rig rig = start();

        for (int n = 0; n < 100; n++)
            tick(&rig, HANG_TICK_MS, 0);
        assert_int_equal(silence(&rig), 100 * HANG_TICK_MS);
        rig.pulse = (struct hang_pulse){.seen = false};
        assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, heartbeats_ms[i]), 0);
        tick(&rig, HANG_TICK_MS, 0);
        assert_int_equal(hang_silence_ms(&rig.watch, &rig.pulse, heartbeats_ms[i]), HANG_TICK_MS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_tick_only_notes_the_clocks),
        cmocka_unit_test(counts_what_was_fair),
        cmocka_unit_test(takes_throttled_time_as_it_comes),
        cmocka_unit_test(goes_on_after_clocks_went_back),
        cmocka_unit_test(a_beating_worker_is_never_silent_for_long),
        cmocka_unit_test(a_stopped_worker_is_found),
        cmocka_unit_test(a_stopped_master_accuses_nobody),
        cmocka_unit_test(a_suspend_adds_nothing),
        cmocka_unit_test(any_change_is_a_sign_of_life),
        cmocka_unit_test(looking_changes_nothing),
        cmocka_unit_test(a_new_worker_starts_at_zero),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
