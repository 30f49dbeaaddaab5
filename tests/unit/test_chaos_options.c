/*
 * The words behind "zombiectl chaos".
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/chaos_options.h"

#define NONE INT64_MIN

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t ms;
    } rows[] = {
        {"30s", 0, 30000},
        {"2m", 0, 120000},
        {"500ms", 0, 500},
        {"1h", 0, 3600000},
        {"24h", 0, 86400000},
        {"1440m", 0, 86400000},
        {"007s", 0, 7000},
        {"1ms", 0, 1},
        {"0s", -ERANGE, NONE},
        {"0ms", -ERANGE, NONE},
        {"25h", -ERANGE, NONE},
        {"86400001ms", -ERANGE, NONE},
        {"9999999999999999999s", -ERANGE, NONE},
        {"", -EINVAL, NONE},
        {"s", -EINVAL, NONE},
        {"30", -EINVAL, NONE},
        {"30 s", -EINVAL, NONE},
        {" 30s", -EINVAL, NONE},
        {"30S", -EINVAL, NONE},
        {"30sec", -EINVAL, NONE},
        {"-1s", -EINVAL, NONE},
        {"+1s", -EINVAL, NONE},
        {"1.5s", -EINVAL, NONE},
        {"1d", -EINVAL, NONE},
        {"1m30s", -EINVAL, NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = NONE;
        int r = chaos_options_duration(rows[i].text, &ms);

        if (r != rows[i].result || ms != rows[i].ms)
            fail_msg("\"%s\": %d, %lld", rows[i].text, r, (long long)ms);
    }
}

static void reads_rates(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t rate;
    } rows[] = {
        {"20", 0, 20000},
        {"1000", 0, 1000000},
        {"1000.000", 0, 1000000},
        {"0.001", 0, 1},
        {"0.5", 0, 500},
        {"2.25", 0, 2250},
        {"00.1", 0, 100},
        {"0", -ERANGE, NONE},
        {"0.000", -ERANGE, NONE},
        {"1000.001", -ERANGE, NONE},
        {"1001", -ERANGE, NONE},
        {"9999999999999999999999", -ERANGE, NONE},
        {"", -EINVAL, NONE},
        {".5", -EINVAL, NONE},
        {"5.", -EINVAL, NONE},
        {"0.0001", -EINVAL, NONE},
        {"0.99999999999999999999", -EINVAL, NONE},
        {"1e3", -EINVAL, NONE},
        {"-1", -EINVAL, NONE},
        {"1,5", -EINVAL, NONE},
        {"20/s", -EINVAL, NONE},
        {"nan", -EINVAL, NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t rate = NONE;
        int r = chaos_options_rate(rows[i].text, &rate);

        if (r != rows[i].result || rate != rows[i].rate)
            fail_msg("\"%s\": %d, %lld", rows[i].text, r, (long long)rate);
    }
}

/* Cut a line into words at its blanks; returns the result of the parser. */
static int parse(const char *line, struct chaos_options *options, char why[CHAOS_WHY_SIZE])
{
    static char copy[512];
    char *words[32];
    char *rest = copy;
    int n = 0;

    (void)snprintf(copy, sizeof(copy), "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL && line[0] != '\0';)
        words[n++] = word;
    return chaos_options_parse(n, words, options, why);
}

static void has_defaults(void **state)
{
    struct chaos_options options;
    char why[CHAOS_WHY_SIZE];

    (void)state;
    assert_int_equal(parse("run --mode kill --rate 20 --for 30s", &options, why), 0);
    assert_string_equal(options.way->mode, "kill");
    assert_string_equal(options.way->signal, "KILL");
    assert_null(options.way->note);
    assert_int_equal(options.rate, 20000);
    assert_int_equal(options.for_ms, 30000);
    assert_int_equal(options.seed, -1);
    assert_int_equal(options.min_serving, 1);
    assert_int_equal(options.allow, 0);
    assert_int_equal(options.connections, 8);
    assert_null(options.url);
}

static void reads_all_options(void **state)
{
    struct chaos_options options;
    char why[CHAOS_WHY_SIZE];

    (void)state;
    assert_int_equal(parse("run --url=http://h/?a=b --mode hang --rate=0.5 --for 2m --seed 0 "
                           "--min-serving 3 --allow=7 --connections 512 --mode=exit",
                           &options, why),
                     0);
    assert_string_equal(options.way->mode, "exit");
    assert_string_equal(options.way->signal, "TERM");
    assert_int_equal(options.rate, 500);
    assert_int_equal(options.for_ms, 120000);
    assert_int_equal(options.seed, 0);
    assert_int_equal(options.min_serving, 3);
    assert_int_equal(options.allow, 7);
    assert_int_equal(options.connections, 512);
    assert_string_equal(options.url, "http://h/?a=b");
}

static void knows_a_signal_for_each_mode(void **state)
{
    static const struct {
        const char *line;
        const char *signal;
        bool has_note;
    } rows[] = {
        {"run --rate 1 --for 1s --mode kill", "KILL", false},
        {"run --rate 1 --for 1s --mode segv", "SEGV", false},
        {"run --rate 1 --for 1s --mode hang", "STOP", true},
        {"run --rate 1 --for 1s --mode exit", "TERM", false},
    };
    struct chaos_options options;
    char why[CHAOS_WHY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(rows[i].line, &options, why), 0);
        assert_string_equal(options.way->signal, rows[i].signal);
        assert_int_equal(options.way->note != NULL, rows[i].has_note);
    }
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } rows[] = {
        {"", "say what"},
        {"walk", "say what"},
        {"run", "--mode kill|segv|hang|exit is missing"},
        {"run --mode kill --for 1s", "--rate KILLS_PER_SECOND is missing"},
        {"run --mode kill --rate 1", "--for TIME is missing"},
        {"run --mode", "--mode needs a value"},
        {"run --mode=", "not \"\""},
        {"run --mode term", "not \"term\""},
        {"run --rate x", "--rate expects a number from 0.001 to 1000, not \"x\""},
        {"run --for 30", "--for expects a time from 1ms to 24h"},
        {"run --seed -1", "--seed expects"},
        {"run --seed 9223372036854775808", "--seed expects"},
        {"run --min-serving 1025", "--min-serving expects a number from 0 to 1024"},
        {"run --allow 1000000001", "--allow expects"},
        {"run --connections 0", "--connections expects a number from 1 to 512"},
        {"run --connections 513", "--connections expects"},
        {"run --ratee 1", "there is no option --ratee"},
        {"run --rat 1", "there is no option --rat"},
        {"run -- 1", "there is no option --"},
        {"run --=1", "there is no option --"},
        {"run 20", "unexpected \"20\""},
        {"run -r 20", "unexpected \"-r\""},
        {"run --mode kill run", "unexpected \"run\""},
        {"run --0123456789012345678901234567890123456789012345678901234567890123456789 1",
         "unexpected \"--0123"},
    };
    struct chaos_options options;
    char why[CHAOS_WHY_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        why[0] = '\0';
        if (parse(rows[i].line, &options, why) != -EINVAL || strstr(why, rows[i].why) == NULL)
            fail_msg("\"%s\": %s", rows[i].line, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations),    cmocka_unit_test(reads_rates),
        cmocka_unit_test(has_defaults),       cmocka_unit_test(reads_all_options),
        cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(knows_a_signal_for_each_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
