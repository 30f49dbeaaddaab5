/*
 * The verdict about a run of chaos, as JSON and for people.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/chaos_report.h"

static const struct chaos_way way = {"kill", "KILL", NULL};
static const struct chaos_way way_with_note = {"hang", "STOP", "it takes long"};

static const struct chaos_options options = {
    .way = &way, .rate = 20000, .for_ms = 30000, .seed = 42, .allow = 3};

/* A good run: 10 kills, 1000 requests, 3 of them lost. */
static struct chaos_report *good(void)
{
    static struct chaos_report report;

    report =
        (struct chaos_report){.options = &options, .took_ms = 30001, .sent = 10, .is_full = true};
    report.strength.wanted = 2;
    report.strength.deaths = 10;
    report.tally.outcomes[PROBE_OK] = 997;
    report.tally.outcomes[PROBE_RESET] = 2;
    report.tally.outcomes[PROBE_PARTIAL] = 1;
    report.tally.retried = 7;
    for (int i = 1; i <= 100; i++) {
        chaos_spread_add(&report.tally.latency, i);
        chaos_spread_add(&report.strength.recovery, INT64_C(1000) * i);
    }
    return &report;
}

static void check_fails(const struct chaos_report *report, const char *reason)
{
    char text[CHAOS_REASON_SIZE];

    assert_false(chaos_report_passes(report));
    assert_true(chaos_report_reason(report, 0, text));
    assert_string_equal(text, reason);
    assert_false(chaos_report_reason(report, 1, text));
}

static void good_run_passes(void **state)
{
    char text[CHAOS_REASON_SIZE];

    (void)state;
    assert_true(chaos_report_passes(good()));
    assert_false(chaos_report_reason(good(), 0, text));
    assert_false(chaos_report_note(good(), 0, text));
}

static void loss_beyond_what_is_allowed_fails(void **state)
{
    (void)state;
    for (int i = PROBE_OK + 1; i < PROBE_OUTCOMES; i++) {
        struct chaos_report *report = good();

        report->tally.outcomes[i]++;
        check_fails(report, "4 requests were lost and 3 may be");
    }
}

static void weakness_at_the_end_fails(void **state)
{
    struct chaos_report *report = good();

    (void)state;
    report->is_full = false;
    report->strength.serving[1] = 5;
    check_fails(report, "1 of 2 workers serve at the end");
}

static void lost_connection_fails(void **state)
{
    struct chaos_report *report = good();

    (void)state;
    report->is_full = false;
    report->was_disconnected = true;
    check_fails(report, "the server has closed the control connection");
}

static void run_that_proves_nothing_fails(void **state)
{
    struct chaos_report *report = good();

    (void)state;
    report->sent = 0;
    report->strength.deaths = 0;
    check_fails(report, "no worker was killed, so nothing is proven");
    report = good();
    memset(report->tally.outcomes, 0, sizeof(report->tally.outcomes));
    check_fails(report, "no request was answered");
}

static void says_every_reason(void **state)
{
    struct chaos_report *report = good();
    char text[CHAOS_REASON_SIZE];
    size_t n = 0;

    (void)state;
    report->is_full = false;
    report->sent = 0;
    report->tally.outcomes[PROBE_OK] = 0;
    report->tally.outcomes[PROBE_TIMEOUT] = 100;
    while (chaos_report_reason(report, n, text))
        n++;
    assert_int_equal(n, 4);
    assert_string_equal(text, "no request was answered");
}

static void notes_do_not_fail(void **state)
{
    static const char *const notes[] = {
        "it takes long",
        "2 kills failed, the first because: no",
        "the server has told of no death for 1 of the kills",
        "5 answers had a status 4xx: is the URL right?",
        "6 requests were put off for want of ports, descriptors or memory",
        "interrupted after 30001 ms",
        "the server was upgraded during the run",
    };
    struct chaos_options hang = options;
    struct chaos_report *report = good();
    char text[CHAOS_REASON_SIZE];

    (void)state;
    hang.way = &way_with_note;
    report->options = &hang;
    report->failed = 2;
    (void)strcpy(report->failure, "no");
    report->strength.deaths = 9;
    report->tally.client_errors = 5;
    report->was_upgraded = true;
    report->tally.not_sent = 6;
    report->was_interrupted = true;
    assert_true(chaos_report_passes(report));
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        assert_true(chaos_report_note(report, i, text));
        assert_string_equal(text, notes[i]);
    }
    assert_false(chaos_report_note(report, sizeof(notes) / sizeof(notes[0]), text));
}

static void check_json(const struct chaos_report *report, const char *expected)
{
    json_t *object = chaos_report_json(report);
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(object, 0);

    assert_non_null(object);
    assert_non_null(wanted);
    if (!json_equal(object, wanted))
        fail_msg("%s", text);
    free(text);
    json_decref(object);
    json_decref(wanted);
}

static void json_has_all_figures(void **state)
{
    (void)state;
    check_json(
        good(),
        "{\"seed\":42,\"mode\":\"kill\",\"rate\":20.0,\"took_ms\":30001,"
        "\"kills\":{\"sent\":10,\"held_back\":0,\"failed\":0,\"deaths\":10},"
        "\"requests\":{\"sent\":1000,\"ok\":997,\"retried\":7,\"allowed\":3,"
        "\"lost\":{\"total\":3,\"refused\":0,\"reset\":2,\"closed\":0,\"partial\":1,\"status\":0,"
        "\"malformed\":0,\"timeout\":0}},"
        "\"latency_ms\":{\"p50\":0.05,\"p99\":0.099,\"max\":0.1},"
        "\"full_strength_ms\":{\"p50\":50.175,\"p99\":99.327,\"max\":100.0},"
        "\"verdict\":\"PASS\",\"reasons\":[],\"notes\":[]}");
}

static void json_of_nothing_has_nulls(void **state)
{
    static struct chaos_report report = {.options = &options, .is_full = true};

    (void)state;
    check_json(
        &report,
        "{\"seed\":42,\"mode\":\"kill\",\"rate\":20.0,\"took_ms\":0,"
        "\"kills\":{\"sent\":0,\"held_back\":0,\"failed\":0,\"deaths\":0},"
        "\"requests\":{\"sent\":0,\"ok\":0,\"retried\":0,\"allowed\":3,"
        "\"lost\":{\"total\":0,\"refused\":0,\"reset\":0,\"closed\":0,\"partial\":0,\"status\":0,"
        "\"malformed\":0,\"timeout\":0}},"
        "\"latency_ms\":{\"p50\":null,\"p99\":null,\"max\":null},"
        "\"full_strength_ms\":{\"p50\":null,\"p99\":null,\"max\":null},"
        "\"verdict\":\"FAIL\",\"reasons\":[\"no worker was killed, so nothing is proven\","
        "\"no request was answered\"],\"notes\":[]}");
}

static void check_table(const struct chaos_report *report, const char *expected)
{
    struct bytes out = {0};

    chaos_report_print(report, &out);
    assert_false(out.failed);
    assert_string_equal(out.at, expected);
    bytes_free(&out);
}

static void table_has_all_figures(void **state)
{
    struct chaos_report *report = good();

    (void)state;
    chaos_spread_add(&report->strength.recovery, 12345678);
    check_table(report, "chaos           kill, 20 kills a second for 30.0 s, seed 42\n"
                        "kills           10 sent, 0 held back, 0 failed, 10 deaths\n"
                        "requests        1000 sent, 997 ok, 7 retried\n"
                        "lost            3 (3 allowed)\n"
                        "                2 reset\n"
                        "                1 partial\n"
                        "latency         p50 0.05 ms, p99 0.10 ms, max 0.10 ms\n"
                        "full strength   p50 51.20 ms, p99 100 ms, max 12.3 s\n"
                        "verdict         PASS\n");
}

/* The words of the server do nothing to a terminal. */
static void table_is_clean(void **state)
{
    struct chaos_report *report = good();

    (void)state;
    report->failed = 1;
    (void)strcpy(report->failure, "\033[2Jno\n");
    report->is_full = false;
    memset(&report->strength.recovery, 0, sizeof(report->strength.recovery));
    check_table(report, "chaos           kill, 20 kills a second for 30.0 s, seed 42\n"
                        "kills           10 sent, 0 held back, 1 failed, 10 deaths\n"
                        "requests        1000 sent, 997 ok, 7 retried\n"
                        "lost            3 (3 allowed)\n"
                        "                2 reset\n"
                        "                1 partial\n"
                        "latency         p50 0.05 ms, p99 0.10 ms, max 0.10 ms\n"
                        "full strength   p50 -, p99 -, max -\n"
                        "note            1 kill failed, the first because: \\x1b[2Jno\\n\n"
                        "verdict         FAIL\n"
                        "because         0 of 2 workers serve at the end\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_run_passes),
        cmocka_unit_test(loss_beyond_what_is_allowed_fails),
        cmocka_unit_test(weakness_at_the_end_fails),
        cmocka_unit_test(lost_connection_fails),
        cmocka_unit_test(run_that_proves_nothing_fails),
        cmocka_unit_test(says_every_reason),
        cmocka_unit_test(notes_do_not_fail),
        cmocka_unit_test(json_has_all_figures),
        cmocka_unit_test(json_of_nothing_has_nulls),
        cmocka_unit_test(table_has_all_figures),
        cmocka_unit_test(table_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
