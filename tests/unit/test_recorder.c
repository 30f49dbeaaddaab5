/*
 * The deaths kept and the requests they are blamed on: a ring of 64, and three
 * of one shape within a minute.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/recorder.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_STEPS     6
#define START_MS      5000000

/* A death with that request in flight. Texts that are too long are cut, as on the scoreboard. */
static struct death make(int64_t when_ms, const char *method, const char *path)
{
    struct death death = {.when_ms = when_ms, .worker = 7, .wait_status = 9, .elapsed_ms = 12};

    snprintf(death.method, sizeof(death.method), "%s", method);
    snprintf(death.path, sizeof(death.path), "%s", path);
    return death;
}

static unsigned add(struct recorder *recorder, int64_t when_ms, const char *path)
{
    struct death death = make(when_ms, "GET", path);

    return recorder_add(recorder, &death);
}

static const struct death *newest(const struct recorder *recorder)
{
    return recorder_at(recorder, recorder_count(recorder) - 1);
}

/* Deaths that poison nothing: each of another shape. */
static void add_others(struct recorder *recorder, int n, int64_t when_ms)
{
    char path[SCOREBOARD_PATH_SIZE];

    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "/other/%d", i);
        assert_int_equal(add(recorder, when_ms, path), 0);
    }
}

static void starts_empty(void **state)
{
    static const struct recorder recorder;

    (void)state;
    assert_int_equal(recorder_count(&recorder), 0);
}

/* The oldest go first, at any number of deaths. */
static void keeps_the_last(void **state)
{
    struct recorder recorder = {.added = 0};

    (void)state;
    for (uint64_t worker = 1; worker <= 3 * RECORDER_DEATHS + 5; worker++) {
        struct death death = {.worker = worker, .elapsed_ms = -1};
        uint64_t kept = worker < RECORDER_DEATHS ? worker : RECORDER_DEATHS;

        assert_int_equal(recorder_add(&recorder, &death), 0);
        assert_int_equal(recorder.added, worker);
        assert_int_equal(recorder_count(&recorder), kept);
        for (size_t i = 0; i < kept; i++)
            assert_int_equal(recorder_at(&recorder, i)->worker, worker - kept + 1 + i);
        assert_int_equal(recorder.deaths[(worker - 1) % RECORDER_DEATHS].worker, worker);
    }
}

static void keeps_all_of_it(void **state)
{
    struct recorder recorder = {.added = 0};
    struct death death;

    (void)state;
    memset(&death, 0, sizeof(death)); /* padding, too: the copy is compared as bytes */
    death.when_ms = 1;
    death.worker = UINT64_MAX;
    death.slot = 3;
    death.generation = 4;
    death.pid = 5;
    death.uptime_ms = 6;
    death.wait_status = 134;
    death.max_rss_kb = INT64_MAX;
    death.user_ms = 9;
    death.system_ms = 10;
    death.heartbeat_age_ms = -1;
    death.elapsed_ms = 0;
    memset(death.method, 'M', sizeof(death.method) - 1);
    memset(death.path, '/', sizeof(death.path) - 1);
    memset(death.client, 'c', sizeof(death.client) - 1);
    memset(death.killed_for, 'k', sizeof(death.killed_for) - 1);
    death.oom = true;
    death.deliberate = true;
    assert_int_equal(recorder_add(&recorder, &death), 0);
    assert_memory_equal(recorder_at(&recorder, 0), &death, sizeof(death));
}

/* The mark is the recorder's alone. */
static void marks_by_its_own_count(void **state)
{
    struct recorder recorder = {.added = 0};
    struct death death = make(START_MS, "GET", "/a");

    (void)state;
    death.poison = true;
    assert_int_equal(recorder_add(&recorder, &death), 0);
    assert_false(newest(&recorder)->poison);
    assert_true(death.poison);
    death.poison = false;
    assert_int_equal(recorder_add(&recorder, &death), 0);
    assert_int_equal(recorder_add(&recorder, &death), 3);
    assert_true(newest(&recorder)->poison);
    assert_false(death.poison);
    assert_false(recorder_at(&recorder, 0)->poison);
    assert_false(recorder_at(&recorder, 1)->poison);
}

/* When deaths of one shape come, and what each of them returns. */
static void counts_within_the_window(void **state)
{
    static const struct {
        const char *title;
        int n;
        int64_t when_ms[MAX_STEPS];
        unsigned alike[MAX_STEPS];
    } cases[] = {
        {"at once", 5, {0, 0, 0, 0, 0}, {0, 0, 3, 4, 5}},
        {"two", 2, {0, 1}, {0, 0}},
        {"the first on the edge", 3, {0, 30000, 60000}, {0, 0, 3}},
        {"the first beyond it", 3, {0, 30000, 60001}, {0, 0, 0}},
        {"two on the edge", 3, {0, 0, 60000}, {0, 0, 3}},
        {"two beyond it", 3, {0, 0, 60001}, {0, 0, 0}},
        {"the window moves", 5, {0, 30000, 60001, 60002, 90001}, {0, 0, 0, 3, 3}},
        {"one in half a minute", 6, {0, 30000, 60000, 90000, 120000, 150000}, {0, 0, 3, 3, 3, 3}},
        {"ever too slow", 6, {0, 30001, 60002, 90003, 120004, 150005}, {0, 0, 0, 0, 0, 0}},
        {"again after a long time", 6, {0, 1, 2, 99000, 99001, 99002}, {0, 0, 3, 0, 0, 3}},
        {"those after it are not before it", 4, {500, 500, 0, 500}, {0, 0, 0, 4}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recorder recorder = {.added = 0};

        for (int n = 0; n < cases[i].n; n++) {
            unsigned alike = add(&recorder, START_MS + cases[i].when_ms[n], "/crash");

            if (alike != cases[i].alike[n] || newest(&recorder)->poison != (alike != 0))
                fail_msg("%s, death %d: %u", cases[i].title, n + 1, alike);
        }
    }
}

static void survives_any_time(void **state)
{
    static const int64_t times[] = {0, INT64_MAX, INT64_MIN, -1, INT64_MAX, INT64_MIN};
    struct recorder recorder = {.added = 0};

    (void)state;
    for (size_t i = 0; i < LENGTH(times); i++)
        assert_int_equal(add(&recorder, times[i], "/"), 0);
    assert_int_equal(add(&recorder, INT64_MAX, "/"), 3);
    assert_int_equal(add(&recorder, INT64_MIN, "/"), 3);
}

/* Two deaths of the first shape: does one of the second make three? */
static void tells_shapes_apart(void **state)
{
    static const struct {
        const char *first[2]; /* method, path */
        const char *second[2];
        bool same;
    } cases[] = {
        {{"GET", "/a"}, {"GET", "/a"}, true},
        {{"GET", "/a"}, {"POST", "/a"}, false},
        {{"GET", "/a"}, {"get", "/a"}, false},
        {{"GET", "/a"}, {"GETS", "/a"}, false},
        {{"GET", "/a"}, {"GET", "/b"}, false},
        {{"GET", "/a"}, {"GET", "/A"}, false},
        {{"GET", "/a"}, {"GET", "/a/"}, false},
        {{"GET", "/a"}, {"GET", "/ab"}, false},
        {{"GET", "/ab"}, {"GET", "/a"}, false},
        {{"GET", "/a"}, {"GET", "/a?"}, true},
        {{"GET", "/a"}, {"GET", "/a?x=1"}, true},
        {{"GET", "/a?x=1"}, {"GET", "/a"}, true},
        {{"GET", "/a?x=1"}, {"GET", "/a?y=2"}, true},
        {{"GET", "/a?x=1?z"}, {"GET", "/a?y=2/b"}, true},
        {{"GET", "/a?x=1"}, {"GET", "/b?x=1"}, false},
        {{"GET", "/a?x=1"}, {"GET", "/ab?x=1"}, false},
        {{"GET", "/a"}, {"GET", "/a%3Fx"}, false},
        {{"GET", "/a#b"}, {"GET", "/a"}, false},
        {{"GET", "/"}, {"GET", "/?"}, true},
        {{"OPTIONS", "*"}, {"OPTIONS", "*"}, true},
        {{"GET", "?x"}, {"GET", ""}, true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recorder recorder = {.added = 0};
        struct death first = make(START_MS, cases[i].first[0], cases[i].first[1]);
        struct death second = make(START_MS, cases[i].second[0], cases[i].second[1]);

        assert_int_equal(recorder_add(&recorder, &first), 0);
        assert_int_equal(recorder_add(&recorder, &first), 0);
        if (recorder_add(&recorder, &second) != (cases[i].same ? 3 : 0))
            fail_msg("%s %s and %s %s", cases[i].first[0], cases[i].first[1], cases[i].second[0],
                     cases[i].second[1]);
    }
}

/* Of a path that was cut, only what is left can be compared. */
static void compares_cut_paths_as_far_as_they_go(void **state)
{
    enum { ROOM = SCOREBOARD_PATH_SIZE - 1 };
    static const struct {
        int common;          /* bytes, then ... */
        const char *ends[2]; /* of the first and the second path */
        bool same;
    } cases[] = {
        {ROOM, {"", ""}, true},        {ROOM, {"b", "c"}, true},
        {ROOM, {"", "/longer"}, true}, {ROOM, {"", "?x=1"}, true},
        {ROOM - 1, {"b", "c"}, false}, {ROOM - 1, {"", "b"}, false},
        {ROOM - 1, {"", "?"}, true},   {ROOM - 1, {"?x=1", "?y=2"}, true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recorder recorder = {.added = 0};
        char common[ROOM + 1] = "", paths[2][2 * SCOREBOARD_PATH_SIZE];

        memset(common, 'a', (size_t)cases[i].common);
        for (int n = 0; n < 2; n++)
            snprintf(paths[n], sizeof(paths[n]), "%s%s", common, cases[i].ends[n]);
        assert_int_equal(add(&recorder, START_MS, paths[0]), 0);
        assert_int_equal(add(&recorder, START_MS, paths[0]), 0);
        if (add(&recorder, START_MS, paths[1]) != (cases[i].same ? 3 : 0))
            fail_msg("%d bytes, then '%s' and '%s'", cases[i].common, cases[i].ends[0],
                     cases[i].ends[1]);
    }
}

/* What is neither counted nor marked, however often it comes. */
static void some_deaths_never_count(void **state)
{
    static const struct {
        const char *title;
        bool deliberate;
        int64_t elapsed_ms;
        bool counts;
    } cases[] = {
        {"just begun", false, 0, true},
        {"long in flight", false, 3600000, true},
        {"none in flight", false, -1, false},
        {"deliberate", true, 12, false},
        {"deliberate, none in flight", true, -1, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recorder recorder = {.added = 0};
        struct death death = make(START_MS, "GET", "/a");

        death.deliberate = cases[i].deliberate;
        death.elapsed_ms = cases[i].elapsed_ms;
        for (unsigned n = 1; n <= 5; n++) {
            unsigned expected = cases[i].counts && n >= RECORDER_POISON_DEATHS ? n : 0;

            if (recorder_add(&recorder, &death) != expected)
                fail_msg("%s: death %u", cases[i].title, n);
            assert_true(newest(&recorder)->poison == (expected != 0));
        }
        /* nor do they help one that counts */
        assert_int_equal(recorder_count(&recorder), 5);
        assert_int_equal(add(&recorder, START_MS, "/a"), cases[i].counts ? 6 : 0);
    }
}

/* A known poison request in flight does not make them count either. */
static void they_are_not_counted_with_others(void **state)
{
    static const struct {
        bool deliberate;
        int64_t elapsed_ms;
    } cases[] = {{true, 12}, {false, -1}, {true, -1}};
    struct recorder recorder = {.added = 0};

    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        assert_int_equal(add(&recorder, START_MS, "/a"), n < 3 ? 0 : 3);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct death death = make(START_MS, "GET", "/a");

        death.deliberate = cases[i].deliberate;
        death.elapsed_ms = cases[i].elapsed_ms;
        assert_int_equal(recorder_add(&recorder, &death), 0);
        assert_false(newest(&recorder)->poison);
    }
    assert_int_equal(add(&recorder, START_MS, "/a"), 4);
}

/* A worker that was killed for a hang, or by the kernel for its memory, counts as any other. */
static void the_way_of_dying_does_not_matter(void **state)
{
    struct recorder recorder = {.added = 0};
    struct death death = make(START_MS, "GET", "/a");

    (void)state;
    snprintf(death.killed_for, sizeof(death.killed_for), "hang");
    assert_int_equal(recorder_add(&recorder, &death), 0);
    death = make(START_MS, "GET", "/a");
    death.oom = true;
    assert_int_equal(recorder_add(&recorder, &death), 0);
    death = make(START_MS, "GET", "/a");
    death.wait_status = 256;
    death.worker = 8;
    death.slot = 2;
    snprintf(death.client, sizeof(death.client), "192.0.2.1:4711");
    assert_int_equal(recorder_add(&recorder, &death), 3);
}

/* Others between them change nothing, as long as the first is not pushed out. */
static void only_what_is_kept_counts(void **state)
{
    static const struct {
        int before;
        int between;
        unsigned alike;
    } cases[] = {
        {0, 0, 3},  {0, 5, 3},   {0, 61, 3},  {0, 62, 0},  {0, 200, 0},
        {40, 0, 3}, {40, 61, 3}, {63, 61, 3}, {40, 62, 0}, {64, 62, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct recorder recorder = {.added = 0};

        for (int n = 0; n < cases[i].before; n++)
            add_others(&recorder, 1, START_MS + n * RECORDER_POISON_WINDOW_MS);
        int64_t when_ms = START_MS + 100 * RECORDER_POISON_WINDOW_MS;
        assert_int_equal(add(&recorder, when_ms, "/crash"), 0);
        assert_int_equal(add(&recorder, when_ms, "/crash"), 0);
        for (int n = 0; n < cases[i].between; n++) {
            struct death death = {.when_ms = when_ms, .elapsed_ms = -1};
            assert_int_equal(recorder_add(&recorder, &death), 0);
        }
        if (add(&recorder, when_ms, "/crash") != cases[i].alike)
            fail_msg("%d before, %d between", cases[i].before, cases[i].between);
    }
}

/* All that is kept can be of one shape. */
static void counts_no_more_than_it_keeps(void **state)
{
    struct recorder recorder = {.added = 0};

    (void)state;
    for (unsigned n = 1; n <= 2 * RECORDER_DEATHS + 1; n++) {
        unsigned alike = n < RECORDER_DEATHS ? n : RECORDER_DEATHS;

        assert_int_equal(add(&recorder, START_MS, "/crash"), n < 3 ? 0 : alike);
    }
}

static void two_shapes_do_not_mix(void **state)
{
    struct recorder recorder = {.added = 0};

    (void)state;
    for (int n = 0; n < 2; n++) {
        assert_int_equal(add(&recorder, START_MS, "/a"), 0);
        assert_int_equal(add(&recorder, START_MS, "/b"), 0);
    }
    add_others(&recorder, 20, START_MS);
    assert_int_equal(add(&recorder, START_MS, "/a?n=3"), 3);
    assert_int_equal(add(&recorder, START_MS, "/b?n=3"), 3);
    assert_int_equal(add(&recorder, START_MS, "/a?n=4"), 4);
}

static void measures_the_shape(void **state)
{
    static const struct {
        const char *path;
        size_t len;
    } cases[] = {
        {"", 0},         {"?", 0},      {"?a?b", 0},  {"/", 1},
        {"/?", 1},       {"/a/b", 4},   {"/a/b?", 4}, {"/a/b?c=d&e=/?f", 4},
        {"/a%3Fb=c", 8}, {"/a#b?c", 4}, {"*", 1},     {"/\303\244?\303\266", 3},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t len = recorder_shape_length(cases[i].path);

        if (len != cases[i].len)
            fail_msg("'%s': %zu", cases[i].path, len);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(keeps_the_last),
        cmocka_unit_test(keeps_all_of_it),
        cmocka_unit_test(marks_by_its_own_count),
        cmocka_unit_test(counts_within_the_window),
        cmocka_unit_test(survives_any_time),
        cmocka_unit_test(tells_shapes_apart),
        cmocka_unit_test(compares_cut_paths_as_far_as_they_go),
        cmocka_unit_test(some_deaths_never_count),
        cmocka_unit_test(they_are_not_counted_with_others),
        cmocka_unit_test(the_way_of_dying_does_not_matter),
        cmocka_unit_test(only_what_is_kept_counts),
        cmocka_unit_test(counts_no_more_than_it_keeps),
        cmocka_unit_test(two_shapes_do_not_mix),
        cmocka_unit_test(measures_the_shape),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
