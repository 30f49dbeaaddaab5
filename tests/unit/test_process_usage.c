/*
 * What processes use: the texts of /proc from tables, and what is known of this
 * process and of one that ends.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/process_usage.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fields 4 to 13, and 16 to 23, as a process has them; 14 is utime, 15 stime, 24 rss. */
#define BEFORE " 1 77 77 0 -1 4194560 1120 0 3 0 "
#define AFTER  " 0 0 20 0 1 0 5433 2347008 "
#define END    " 18446744073709551615 94 95 96 0 0 0 0 4096 0 0 0 0 17 0\n"

static void reads_stat(void **state)
{
    static const struct {
        const char *text;
        int64_t cpu_ms, rss_bytes; /* with 100 ticks a second and pages of 4,096 bytes */
    } rows[] = {
        {"77 (cat) S" BEFORE "3 4" AFTER "10" END, 70, 40960},
        {"77 (cat) Z" BEFORE "0 0" AFTER "0" END, 0, 0},
        {"77 () R" BEFORE "1 0" AFTER "1" END, 10, 4096},
        {"77 (a b) S" BEFORE "1 0" AFTER "1" END, 10, 4096},
        {"77 (a) S 1 2 3) R" BEFORE "1 0" AFTER "1" END, 10, 4096},
        {"77 (:) ) S) S" BEFORE "1 0" AFTER "1" END, 10, 4096},
        {"77 (a\nb) S" BEFORE "1 0" AFTER "1" END, 10, 4096},
        {"77 (cat) S" BEFORE "100000000000 1" AFTER "1000000000" END, 1000000000010, 4096000000000},
        {"77 (cat) S" BEFORE "1 1" AFTER "1", 20, 4096},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct process_usage usage = {-2, -2, -2};

        assert_int_equal(process_usage_parse_stat(rows[i].text, 100, 4096, &usage), 0);
        assert_int_equal(usage.cpu_ms, rows[i].cpu_ms);
        assert_int_equal(usage.rss_bytes, rows[i].rss_bytes);
        assert_int_equal(usage.pss_bytes, -2);
    }
}

static void refuses_what_is_no_stat(void **state)
{
    static const char *const rows[] = {
        "",
        "77",
        "77 (cat",
        "77 (cat)",
        "77 (cat) S",
        "77 (cat) S" BEFORE "3",
        "77 (cat) S" BEFORE "3 4" AFTER,
        "77 (cat) S" BEFORE "-3 4" AFTER "10" END,
        "77 (cat) S" BEFORE "3 -4" AFTER "10" END,
        "77 (cat) S" BEFORE "3x 4" AFTER "10" END,
        "77 (cat) S" BEFORE "3 4" AFTER "-1" END,
        "77 (cat) S" BEFORE "3 4" AFTER "x" END,
        "77 (cat) S" BEFORE "9223372036854775807 1" AFTER "10" END,
        "77 (cat) S" BEFORE "999999999999999999 4" AFTER "10" END,
        "77 (cat) S" BEFORE "3 4" AFTER "999999999999999999" END,
        "77 (cat) S" BEFORE "3 4" AFTER "99999999999999999999999" END,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct process_usage usage = {-2, -2, -2};

        if (process_usage_parse_stat(rows[i], 100, 4096, &usage) != -EINVAL)
            fail_msg("\"%s\" is taken for a stat", rows[i]);
        assert_int_equal(usage.cpu_ms, -2);
        assert_int_equal(usage.rss_bytes, -2);
    }
}

#define ROLLUP "55d0-7ffc ---p 00000000 00:00 0      [rollup]\nRss:     1234 kB\n"

static void reads_smaps(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {
        {ROLLUP "Pss:                 321 kB\nPss_Dirty:            7 kB\n", 328704},
        {ROLLUP "Pss_Dirty: 7 kB\nPss_Anon: 8 kB\nPss:\t0 kB\n", 0},
        {"Pss: 1 kB\n", 1024},
        {ROLLUP "Pss_Dirty:            7 kB\nSwapPss: 8 kB\n", -1},
        {ROLLUP, -1},
        {"", -1},
        {"\n\n", -1},
        {"Pss:", -1},
        {"Pss: kB\n", -1},
        {"Pss: -1 kB\n", -1},
        {"Pss: 12", -1},
        {"Pss: 12 MB\n", -1},
        {"Pss: 12x kB\n", -1},
        {"Pss: 999999999999999999 kB\n", -1},
        {"Pss: 99999999999999999999 kB\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (process_usage_parse_pss(rows[i].text) != rows[i].bytes)
            fail_msg("\"%s\": %lld", rows[i].text,
                     (long long)process_usage_parse_pss(rows[i].text));
}

static int64_t spent_ms(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* The kernel rounds what stat says to ticks, each of the two for itself. */
static void knows_this_process(void **state)
{
    int64_t slack_ms = 2 * 1000 / sysconf(_SC_CLK_TCK) + 1, before, after;
    struct process_usage usage;

    (void)state;
    assert_int_equal(prctl(PR_SET_NAME, ") S (9 9", 0, 0, 0), 0);
    while (spent_ms() < 10 * slack_ms)
        continue;
    before = spent_ms();
    assert_int_equal(process_usage_read(getpid(), &usage), 0);
    after = spent_ms();
    assert_in_range(usage.cpu_ms, before - slack_ms, after + slack_ms);
    assert_true(usage.rss_bytes > 0 && usage.rss_bytes % sysconf(_SC_PAGESIZE) == 0);
    assert_true(usage.pss_bytes > 0 && usage.pss_bytes <= 2 * usage.rss_bytes);
}

/* Dead, reaped; and ids that nobody has. */
static void knows_the_end(void **state)
{
    struct process_usage usage;
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_usage_read(pid, &usage), 0);
    assert_int_equal(usage.rss_bytes, 0);
    assert_int_equal(usage.pss_bytes, -1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    usage = (struct process_usage){-2, -2, -2};
    assert_int_equal(process_usage_read(pid, &usage), -ESRCH);
    assert_int_equal(process_usage_read(0, &usage), -ESRCH);
    assert_int_equal(process_usage_read(-5, &usage), -ESRCH);
    assert_int_equal(usage.cpu_ms, -2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_stat),    cmocka_unit_test(refuses_what_is_no_stat),
        cmocka_unit_test(reads_smaps),   cmocka_unit_test(knows_this_process),
        cmocka_unit_test(knows_the_end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
