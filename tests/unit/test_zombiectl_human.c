/*
 * Figures for people: durations, counts, bytes, rates.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/human.h"

static void writes_durations(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {-1, "0ms"},          {INT64_MIN, "0ms"},
        {0, "0ms"},           {999, "999ms"},
        {1000, "1s"},         {59999, "59s"},
        {60000, "1m"},        {61000, "1m1s"},
        {192000, "3m12s"},    {3599999, "59m59s"},
        {3600000, "1h"},      {18180000, "5h3m"},
        {86399999, "23h59m"}, {86400000, "1d"},
        {273600000, "3d4h"},  {INT64_MAX, "106751991167d7h"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[HUMAN_SIZE];

        human_duration(rows[i].ms, buf);
        assert_string_equal(buf, rows[i].text);
    }
}

static void writes_ages(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {INT64_MIN, "0s"}, {999, "0s"},     {1000, "1s"},      {59999, "59s"},   {60000, "1m"},
        {3599999, "59m"},  {3600000, "1h"}, {86399999, "23h"}, {86400000, "1d"}, {273600000, "3d"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[HUMAN_SIZE];

        human_age(rows[i].ms, buf);
        assert_string_equal(buf, rows[i].text);
    }
}

static void writes_counts_and_bytes(void **state)
{
    static const struct {
        uint64_t value;
        const char *count;
        const char *bytes;
    } rows[] = {
        {0, "0", "0"},
        {999, "999", "999"},
        {1000, "1.0k", "1000"},
        {1023, "1.0k", "1023"},
        {1024, "1.0k", "1.0K"},
        {1299, "1.2k", "1.2K"},
        {12300, "12.3k", "12.0K"},
        {99999, "99.9k", "97.6K"},
        {100000, "100k", "97.6K"},
        {999999, "999k", "976K"},
        {1000000, "1.0M", "976K"},
        {1048575, "1.0M", "1023K"},
        {1048576, "1.0M", "1.0M"},
        {12345678, "12.3M", "11.7M"},
        {5000000000, "5.0G", "4.6G"},
        {UINT64_MAX, "18.4E", "15.9E"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[HUMAN_SIZE];

        human_count(rows[i].value, buf);
        assert_string_equal(buf, rows[i].count);
        human_bytes(rows[i].value, buf);
        assert_string_equal(buf, rows[i].bytes);
    }
}

static void writes_rates(void **state)
{
    static const struct {
        double rate;
        const char *text;
    } rows[] = {
        {0, "0.0"},      {-3, "0.0"},     {0.04, "0.0"},   {0.06, "0.1"},      {1.5, "1.5"},
        {15.25, "15.2"}, {99.94, "99.9"}, {99.96, "100"},  {123.4, "123"},     {999.6, "1.0k"},
        {1234, "1.2k"},  {1e7, "10.0M"},  {1e300, "much"}, {0.0 / 0.0, "0.0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[HUMAN_SIZE];

        human_rate(rows[i].rate, buf);
        assert_string_equal(buf, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_durations),
        cmocka_unit_test(writes_ages),
        cmocka_unit_test(writes_counts_and_bytes),
        cmocka_unit_test(writes_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
