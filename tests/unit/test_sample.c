/*
 * Samples of what a process uses: shares of a CPU and requests a second, from
 * figures and times that the test says.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/sample.h"
#include "host/process_usage.h"

int __real_process_usage_read(pid_t pid, struct process_usage *ret_usage);
int __wrap_process_usage_read(pid_t pid, struct process_usage *ret_usage);

/* What the kernel says, in place of /proc; looks are counted. */
static struct process_usage usage;
static int usage_result;
static int n_looks;
static bool is_real;

int __wrap_process_usage_read(pid_t pid, struct process_usage *ret_usage)
{
    n_looks++;
    if (is_real)
        return __real_process_usage_read(pid, ret_usage);
    if (usage_result == 0)
        *ret_usage = usage;
    return usage_result;
}

static int set_up(void **state)
{
    (void)state;
    usage = (struct process_usage){0};
    usage_result = 0;
    n_looks = 0;
    is_real = false;
    return 0;
}

/* With a tolerance, for it is a quotient of doubles. */
static void check_figure(double value, double expected)
{
    if (value < expected - 0.001 || value > expected + 0.001)
        fail_msg("%f, expected %f", value, expected);
}

static void measures_between_looks(void **state)
{
    static const struct {
        pid_t pid;
        int64_t started_ms, now_ms, cpu_ms;
        double percent;
        bool looked;
    } looks[] = {
        {10, 1000, 3000, 500, 25, true},   /* the first: since the start */
        {10, 1000, 3899, 9999, 25, false}, /* still fresh */
        {10, 1000, 3900, 1400, 100, true}, /* 900 ms of 900 ms */
        {10, 1000, 5900, 1400, 0, true},   /* it slept */
        {10, 1000, 6900, 4400, 300, true}, /* several threads */
        {11, 6900, 6901, 0, 0, true},      /* somebody new is looked at whatever the time */
        {11, 6900, 7901, 10, 1, true},
        {12, 8000, 8000, 30, 0, true}, /* just started: no time has passed */
        {12, 8000, 9000, 1030, 100, true},
    };
    struct sample sample = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        int before = n_looks;

        usage =
            (struct process_usage){.cpu_ms = looks[i].cpu_ms, .rss_bytes = 4096, .pss_bytes = 2048};
        sample_look(&sample, looks[i].pid, looks[i].started_ms, looks[i].now_ms);
        assert_int_equal(n_looks - before, looks[i].looked);
        check_figure(sample.cpu_percent, looks[i].percent);
        assert_int_equal(sample.pid, looks[i].pid);
        assert_int_equal(sample.rss_bytes, 4096);
        assert_int_equal(sample.pss_bytes, 2048);
    }
}

static void says_what_is_unknown(void **state)
{
    struct sample sample = {0};

    (void)state;
    usage_result = -ESRCH;
    sample_look(&sample, 10, 1000, 2000);
    check_figure(sample.cpu_percent, -1);
    assert_int_equal(sample.rss_bytes, -1);
    assert_int_equal(sample.pss_bytes, -1);

    usage_result = 0;
    usage = (struct process_usage){.cpu_ms = 400, .rss_bytes = 1, .pss_bytes = -1};
    sample_look(&sample, 10, 1000, 3000);
    check_figure(sample.cpu_percent, 20); /* nothing to compare with but the start */
    assert_int_equal(sample.rss_bytes, 1);
    assert_int_equal(sample.pss_bytes, -1);

    usage.cpu_ms = -1;
    sample_look(&sample, 10, 1000, 4000);
    check_figure(sample.cpu_percent, -1);
}

static void looks_at_a_real_process(void **state)
{
    struct sample sample = {0};

    (void)state;
    is_real = true;
    sample_look(&sample, getpid(), 0, 1000);
    assert_true(sample.cpu_percent >= 0);
    assert_true(sample.rss_bytes > 0);
    assert_int_equal(sample.pid, getpid());
}

static void counts_requests_a_second(void **state)
{
    static const struct {
        uint64_t requests;
        int64_t started_ms;
        int64_t now_ms;
        double per_second;
    } counts[] = {
        {100, 500, 1000, 200}, /* all of its life at first */
        {150, 500, 2000, 50},     {150, 500, 3000, 0},
        {151, 500, 5000, 0.5},    {151, 500, 5000, 0.5}, /* no time has passed */
        {20, 5800, 6000, 100},                           /* a successor began anew */
        {1020, 5800, 6500, 2000},
    };
    struct sample sample = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        sample_count(&sample, counts[i].requests, counts[i].started_ms, counts[i].now_ms);
        check_figure(sample.requests_per_second, counts[i].per_second);
        assert_int_equal(sample.requests, counts[i].requests);
    }
    assert_int_equal(n_looks, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(measures_between_looks, set_up),
        cmocka_unit_test_setup(says_what_is_unknown, set_up),
        cmocka_unit_test_setup(looks_at_a_real_process, set_up),
        cmocka_unit_test_setup(counts_requests_a_second, set_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
