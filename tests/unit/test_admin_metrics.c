/* The text format of Prometheus (admin/metrics_text.h), and what is told in it (metrics_report.h).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin/metrics_report.h"
#include "admin/metrics_text.h"
#include "admin/metrics_upstreams.h"
#include "balancer_fixture.h"
#include "cluster/slot.h"
#include "http/limits.h"
#include "ipc/scoreboard.h"

static struct bytes out;

static int set_up(void **state)
{
    (void)state;
    out = (struct bytes){.at = NULL};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_free(&out);
    return 0;
}

static void a_family_says_what_it_is(void **state)
{
    (void)state;
    metrics_family(&out, "a_total", METRICS_COUNTER, "What \"it\" is:\na \\ b.");
    metrics_family(&out, "b", METRICS_GAUGE, "");
    metrics_family(&out, "c_seconds", METRICS_HISTOGRAM, "C.");
    assert_string_equal(out.at, "# HELP a_total What \"it\" is:\\na \\\\ b.\n"
                                "# TYPE a_total counter\n"
                                "# HELP b \n# TYPE b gauge\n"
                                "# HELP c_seconds C.\n# TYPE c_seconds histogram\n");
}

static void labels_are_escaped(void **state)
{
    const struct metrics_label labels[] = {
        {"a", "plain"}, {"b", "\"quoted\""}, {"c", "back\\slash\nline\n"}, {"d", ""}, {NULL, NULL}};
    const struct metrics_label none[] = {{NULL, NULL}};
    const struct metrics_label foreign[] = {{"a", "x\xff"
                                                  "y\xc3\xa9"},
                                            {NULL, NULL}};

    (void)state;
    metrics_number(&out, "x", labels, UINT64_MAX);
    metrics_number(&out, "y", none, 0);
    metrics_number(&out, "z", NULL, 7);
    metrics_number(&out, "u", foreign, 1);
    assert_string_equal(out.at, "x{a=\"plain\",b=\"\\\"quoted\\\"\",c=\"back\\\\slash\\nline\\n\","
                                "d=\"\"} 18446744073709551615\ny 0\nz 7\n"
                                "u{a=\"x\xef\xbf\xbdy\xc3\xa9\"} 1\n");
}

static void times_are_exact_seconds(void **state)
{
    static const struct {
        uint64_t us;
        const char *line;
    } rows[] = {
        {0, "t 0\n"},
        {1, "t 0.000001\n"},
        {500, "t 0.0005\n"},
        {100000, "t 0.1\n"},
        {1000000, "t 1\n"},
        {10000000, "t 10\n"},
        {2500000, "t 2.5\n"},
        {1763722890123000, "t 1763722890.123\n"},
        {UINT64_MAX, "t 18446744073709.551615\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes_clear(&out);
        metrics_seconds(&out, "t", NULL, rows[i].us);
        assert_string_equal(out.at, rows[i].line);
    }
}

static void histograms_are_cumulative(void **state)
{
    static const uint64_t bounds[] = {500, 1000000}, places[] = {1, 0, 2};
    const struct metrics_histogram histogram = {bounds, places, 2, 3500000};

    (void)state;
    metrics_histogram(&out, "h_seconds", &histogram);
    assert_string_equal(out.at, "h_seconds_bucket{le=\"0.0005\"} 1\n"
                                "h_seconds_bucket{le=\"1\"} 1\n"
                                "h_seconds_bucket{le=\"+Inf\"} 3\n"
                                "h_seconds_sum 3.5\nh_seconds_count 3\n");
}

static void put(struct scoreboard *board, size_t i, enum slot_state state, uint32_t number,
                int64_t beat_ms)
{
    struct scoreboard_place place = {.state = state, .number = number, .worker = 10 + i, .pid = 1};

    scoreboard_set_place(scoreboard_at(board, i), &place);
    scoreboard_beat(scoreboard_at(board, i), beat_ms);
}

/* Slot 1 has a leaver beside its holder, slot 2 is empty, and there is the admin child. */
static void fill(struct scoreboard *board)
{
    struct scoreboard_instance instance = {.started_ms = 4000,
                                           .beat_ms = 99500,
                                           .condition = SCOREBOARD_RELOADING,
                                           .generation = 3,
                                           .upgrades = 1,
                                           .strength = 2};
    struct scoreboard_answer answer = {SCOREBOARD_GET, 200, 100, 1000, 700};

    scoreboard_set_instance(board, &instance);
    put(board, 0, SLOT_SERVING, 1, 99900);
    put(board, 1, SLOT_DRAINING, 1, 99000);
    put(board, 2, SLOT_EMPTY, 2, 50);
    put(board, 3, SLOT_SERVING, 1025, 10);
    for (size_t i = 0; i < 3; i++) {
        scoreboard_account(scoreboard_at(board, i), &answer);
        scoreboard_count_accepted(scoreboard_at(board, i));
        scoreboard_count_limit(scoreboard_at(board, i), LIMIT_HOSTS);
        scoreboard_count_connections(scoreboard_at(board, i), 2);
    }
    answer = (struct scoreboard_answer){SCOREBOARD_OTHER, 503, 1, 1, 99000000};
    scoreboard_account(scoreboard_at(board, 2), &answer);
    scoreboard_count(board, SCOREBOARD_DEATHS_OOM);
    scoreboard_count(board, SCOREBOARD_RELOADS_FAILED);
    scoreboard_count_respawn(board, SCOREBOARD_DEATHS_OOM);
    scoreboard_count_respawn(board, SCOREBOARD_DEATHS_KILLED);
    scoreboard_recovered(board, 2000);
}

static void the_report_adds_up_all_places(void **state)
{
    static const char *const lines[] = {
        "zombie_start_time_seconds 1004\n",
        "zombie_generation 3\n",
        "zombie_upgrades_total 1\n",
        "zombie_condition{condition=\"reloading\"} 1\n",
        "zombie_condition{condition=\"serving\"} 0\n",
        "zombie_master_beat_age_seconds 0.5\n",
        "zombie_workers 2\n",
        "zombie_workers_serving 1\n",
        "zombie_worker_respawns_total{reason=\"chaos\"} 0\n",
        "zombie_worker_respawns_total{reason=\"oom\"} 1\n",
        "zombie_worker_respawns_total{reason=\"killed\"} 1\n",
        "zombie_worker_deaths_total{reason=\"oom\"} 1\n",
        "zombie_worker_deaths_total{reason=\"signal\"} 0\n",
        "zombie_worker_recovery_seconds_sum 0.002\n",
        "zombie_worker_recovery_seconds_count 1\n",
        "zombie_worker_heartbeat_age_seconds{slot=\"1\"} 1\n",
        "zombie_reloads_total{result=\"failure\"} 1\n",
        "zombie_http_requests_total{code=\"2xx\",method=\"GET\"} 3\n",
        "zombie_http_requests_total{code=\"5xx\",method=\"other\"} 1\n",
        "zombie_http_requests_total{code=\"4xx\",method=\"PUT\"} 0\n",
        "zombie_http_request_duration_seconds_bucket{le=\"0.0005\"} 0\n",
        "zombie_http_request_duration_seconds_bucket{le=\"0.001\"} 3\n",
        "zombie_http_request_duration_seconds_bucket{le=\"+Inf\"} 4\n",
        "zombie_http_request_duration_seconds_sum 99.0021\n",
        "zombie_http_received_bytes_total 301\n",
        "zombie_http_sent_bytes_total 3001\n",
        "zombie_http_connections 4\n",
        "zombie_http_connections_accepted_total 3\n",
        "zombie_http_limit_hits_total{limit=\"hosts\"} 3\n",
    };
    static const struct metrics_moment moment = {.now_ms = 100000, .epoch_ms = 1000000};
    struct scoreboard *board;

    (void)state;
    assert_int_equal(scoreboard_new(4, &board), 0);
    fill(board);
    metrics_report(board, &moment, &out);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(out.at, lines[i]) == NULL)
            fail_msg("%s is not in:\n%s", lines[i], out.at);
    assert_null(strstr(out.at, "respawns_total{reason=\"retired\""));
    assert_null(strstr(out.at, "slot=\"2\""));
    assert_null(strstr(out.at, "slot=\"1025\""));
    scoreboard_free(board);
}

/* One server has failed, another one is drained, and is drained still when it comes back. */
static void upstreams_are_reported_by_server(void **state)
{
    static const char *const lines[] = {
        "# TYPE zombie_upstream_requests_total counter\n"
        "zombie_upstream_requests_total{upstream=\"a\\\"b\",server=\"10.0.0.1:80\","
        "address=\"10.0.0.1:80\"} 1\nzombie_upstream_requests_total{",
        "zombie_upstream_failures_total{upstream=\"a\\\"b\",server=\"10.0.0.1:80\","
        "address=\"10.0.0.1:80\"} 1\n",
        "zombie_upstream_connections{upstream=\"c\",server=\"10.0.0.3:80\","
        "address=\"10.0.0.3:80\"} 1\n",
        "zombie_upstream_up{upstream=\"a\\\"b\",server=\"10.0.0.1:80\","
        "address=\"10.0.0.1:80\"} 0\n",
        "address=\"10.0.0.1:80\",state=\"failed\"} 1\n",
        "address=\"10.0.0.1:80\",state=\"up\"} 0\n",
        "address=\"10.0.0.2:80\",state=\"drained\"} 1\n",
        "zombie_upstream_up{upstream=\"c\",server=\"10.0.0.3:80\",address=\"10.0.0.3:80\"} 1\n",
        "zombie_upstream_latency_seconds{upstream=\"d\",server=\"10.0.0.4:80\","
        "address=\"10.0.0.4:80\"} 0.0025\n",
    };
    struct balancer *balancer;
    struct conf conf = {.n_upstreams = 0};
    struct balancer_pick pick;

    (void)state;
    assert_int_equal(balancer_new(2, &balancer), 0);
    metrics_upstreams(balancer, 1000, &out);
    assert_int_equal(out.len, 0);
    fixture_add(&conf, "a\"b", CONF_BALANCE_ROUND_ROBIN, "10.0.0.1:80*5 10.0.0.2:80");
    fixture_add(&conf, "c", CONF_BALANCE_ROUND_ROBIN, "10.0.0.3:80");
    fixture_add(&conf, "d", CONF_BALANCE_ROUND_ROBIN, "10.0.0.4:80");
    assert_int_equal(balancer_apply(balancer, &conf, 1000), 0);
    pick = fixture_choose(balancer_find(balancer, "a\"b"), 0, 1000);
    fixture_finish(balancer_find(balancer, "a\"b"), 0, &pick, BALANCER_FAILED, 1000);
    assert_int_equal(
        balancer_set_drained(balancer_find(balancer, "a\"b"), "10.0.0.2:80", true, 1000), 0);
    (void)fixture_choose(balancer_find(balancer, "c"), 1, 1000);
    pick = fixture_choose(balancer_find(balancer, "d"), 1, 1000);
    balancer_done(balancer_find(balancer, "d"), 1, &pick, BALANCER_OK, 1000, 2500);
    metrics_upstreams(balancer, 1500, &out);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(out.at, lines[i]) == NULL)
            fail_msg("%s is not in:\n%s", lines[i], out.at);
    assert_null(strstr(out.at, "latency_seconds{upstream=\"c\""));
    fixture_clear(&conf);
    balancer_free(balancer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(a_family_says_what_it_is),      TEST(labels_are_escaped),
        TEST(times_are_exact_seconds),       TEST(histograms_are_cumulative),
        TEST(the_report_adds_up_all_places), TEST(upstreams_are_reported_by_server),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
