/*
 * Range: which parts are asked for, and which fields are ignored or refused.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/range.h"

struct row {
    const char *header;
    const char *ranges; /* "offset+len offset+len ..."; NULL: a failure */
    int result;
};

static void print_ranges(const struct range *ranges, size_t n, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%" PRIu64 "+%" PRIu64,
                                 i > 0 ? " " : "", ranges[i].offset, ranges[i].len);
}

static void parse_rows(const struct row *rows, size_t n_rows, uint64_t size)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct range ranges[RANGE_MAX];
        size_t n = 77;
        char text[1024] = "";
        int r = range_parse(rows[i].header, size, ranges, RANGE_MAX, &n);

        if (r != rows[i].result || (r != 0 && n != 77) || (r == 0 && (n == 0 || n > RANGE_MAX)))
            fail_msg("\"%s\": result %d, %zu ranges", rows[i].header, r, n);
        if (r != 0)
            continue;
        print_ranges(ranges, n, text, sizeof(text));
        if (strcmp(text, rows[i].ranges) != 0)
            fail_msg("\"%s\": %s instead of %s", rows[i].header, text, rows[i].ranges);
    }
}

#define PARSE(rows, size) parse_rows(rows, sizeof(rows) / sizeof((rows)[0]), size)

static void takes_single_ranges(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-0", "0+1", 0},
        {"bytes=0-499", "0+500", 0},
        {"bytes=500-999", "500+500", 0},
        {"bytes=999-999", "999+1", 0},
        {"bytes=0-999", "0+1000", 0},
        {"bytes=0-1000", "0+1000", 0},
        {"bytes=990-5000", "990+10", 0},
        {"bytes=0-", "0+1000", 0},
        {"bytes=1-", "1+999", 0},
        {"bytes=999-", "999+1", 0},
        {"bytes=-1", "999+1", 0},
        {"bytes=-500", "500+500", 0},
        {"bytes=-1000", "0+1000", 0},
        {"bytes=-1001", "0+1000", 0},
        {"bytes=000-0009", "0+10", 0},
        {"Bytes=0-1", "0+2", 0},
        {"BYTES=0-1", "0+2", 0},
        {"bytes= 0-1", "0+2", 0},
        {"bytes=0-1\t ", "0+2", 0},
        {"bytes=,0-1", "0+2", 0},
        {"bytes=0-1, ,", "0+2", 0},
        {"bytes=5-18446744073709551615", "5+995", 0},
        {"bytes=5-18446744073709551616", "5+995", 0},
        {"bytes=5-99999999999999999999999999999999", "5+995", 0},
        {"bytes=-18446744073709551615", "0+1000", 0},
        {"bytes=-99999999999999999999999999999999", "0+1000", 0},
    };

    (void)state;
    PARSE(rows, 1000);
}

static void refuses_unsatisfiable_ranges(void **state)
{
    static const struct row rows[] = {
        {"bytes=1000-", NULL, -ERANGE},
        {"bytes=1000-1000", NULL, -ERANGE},
        {"bytes=1000-2000", NULL, -ERANGE},
        {"bytes=-0", NULL, -ERANGE},
        {"bytes=-000", NULL, -ERANGE},
        {"bytes=-0,1000-, 2000-3000", NULL, -ERANGE},
        {"bytes=18446744073709551615-", NULL, -ERANGE},
        {"bytes=18446744073709551616-", NULL, -ERANGE},
        {"bytes=18446744073709551616-18446744073709551617", NULL, -ERANGE},
        {"bytes=1000-,0-1", "0+2", 0},
        {"bytes=0-1,-0", "0+2", 0},
    };

    (void)state;
    PARSE(rows, 1000);
}

static void ignores_the_rest(void **state)
{
    static const char *const headers[] = {
        "",           "bytes",         "bytes=",        "bytes=,",       "bytes= , ,",
        "bytes=-",    "bytes=--1",     "bytes=0",       "bytes=0 -1",    "bytes=0- 1",
        "bytes =0-1", " bytes=0-1",    "bytes:0-1",     "bytes 0-1",     "bytes=0-1-2",
        "bytes=2-1",  "bytes=0x0-0x1", "bytes=a-b",     "bytes=0-1;2-3", "bytes=0-1 2-3",
        "bytes=+0-1", "bytes=0-+1",    "bytes=0-1,x",   "bytes=0-1,-",   "bytes=0-1,5-4",
        "byte=0-1",   "seconds=0-1",   "items=0-1",     "none",          "bytes=1000-999",
        "bytes=*",    "bytes=0-*",     "bytes=0-1/100", "bytes=1.0-2",   "bytes=0-1\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct range ranges[RANGE_MAX];
        size_t n = 77;
        int r = range_parse(headers[i], 1000, ranges, RANGE_MAX, &n);

        if (r != -EINVAL || n != 77)
            fail_msg("\"%s\": result %d", headers[i], r);
    }
}

static void takes_several_ranges(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-9,20-29", "0+10 20+10", 0},
        {"bytes=20-29,0-9", "20+10 0+10", 0},
        {"bytes=0-0,-1", "0+1 999+1", 0},
        {"bytes=-1,0-0,500-", "500+500 0+1", 0},
        {"bytes= 0-9 ,\t20-29 , -5", "0+10 20+10 995+5", 0},
        {"bytes=0-9,10-19", "0+20", 0},
        {"bytes=10-19,0-9", "0+20", 0},
        {"bytes=0-9,11-19", "0+10 11+9", 0},
        {"bytes=0-9,5-14", "0+15", 0},
        {"bytes=5-14,0-9", "0+15", 0},
        {"bytes=0-99,20-29", "0+100", 0},
        {"bytes=20-29,0-99", "0+100", 0},
        {"bytes=7-7,7-7", "7+1", 0},
        {"bytes=0-9,20-29,40-49,5-44", "0+50", 0},
        {"bytes=40-49,0-9,20-29,8-25", "40+10 0+30", 0},
        {"bytes=0-9,40-49,20-29,30-39", "0+10 20+30", 0},
        {"bytes=100-109,0-9,105-114", "100+15 0+10", 0},
        {"bytes=0-9,5000-,20-29", "0+10 20+10", 0},
        {"bytes=990-,-20", "980+20", 0},
    };

    (void)state;
    PARSE(rows, 1000);
}

static void ignores_more_than_there_is(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-49,50-99", "0+100", 0}, {"bytes=0-49,49-99", NULL, -EINVAL},
        {"bytes=0-,0-", NULL, -EINVAL},   {"bytes=0-,0-0", NULL, -EINVAL},
        {"bytes=-60,-40", "40+60", 0},    {"bytes=-60,-41", NULL, -EINVAL},
        {"bytes=0-98,-1", "0+100", 0},
    };

    (void)state;
    PARSE(rows, 100);
}

static void limits_their_number(void **state)
{
    struct range ranges[RANGE_MAX];
    char header[256] = "bytes=0-0";
    size_t n = 77;

    (void)state;
    for (int i = 1; i < RANGE_MAX; i++)
        (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), ",%d-%d", 2 * i,
                       2 * i);
    assert_int_equal(range_parse(header, 1000, ranges, RANGE_MAX, &n), 0);
    assert_int_equal(n, RANGE_MAX);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ranges[i].offset, 2 * i);
    assert_int_equal(range_parse(header, 1000, ranges, RANGE_MAX - 1, &n), -EINVAL);
    strcat(header, ",500-500");
    assert_int_equal(range_parse(header, 1000, ranges, RANGE_MAX, &n), -EINVAL);
    assert_int_equal(range_parse("bytes=0-0,5000-", 1000, ranges, 1, &n), -EINVAL);
    assert_int_equal(range_parse("bytes=0-0", 1000, ranges, 0, &n), -EINVAL);
    assert_int_equal(n, RANGE_MAX);
}

static void ignores_ranges_of_nothing(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-", NULL, -EINVAL},
        {"bytes=0-0", NULL, -EINVAL},
        {"bytes=-1", NULL, -EINVAL},
        {"bytes=-0", NULL, -EINVAL},
    };

    (void)state;
    PARSE(rows, 0);
}

static void takes_the_largest_size(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-", "0+18446744073709551615", 0},
        {"bytes=18446744073709551614-", "18446744073709551614+1", 0},
        {"bytes=18446744073709551614-18446744073709551615", "18446744073709551614+1", 0},
        {"bytes=18446744073709551615-", NULL, -ERANGE},
        {"bytes=-18446744073709551615", "0+18446744073709551615", 0},
        {"bytes=-18446744073709551614", "1+18446744073709551614", 0},
        {"bytes=1-,0-0", "0+18446744073709551615", 0},
        {"bytes=1-,0-1", NULL, -EINVAL},
        {"bytes=1-,1-,1-", NULL, -EINVAL},
        {"bytes=18446744073709551612-18446744073709551613,-1", "18446744073709551612+3", 0},
    };

    (void)state;
    PARSE(rows, UINT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_single_ranges),
        cmocka_unit_test(refuses_unsatisfiable_ranges),
        cmocka_unit_test(ignores_the_rest),
        cmocka_unit_test(takes_several_ranges),
        cmocka_unit_test(ignores_more_than_there_is),
        cmocka_unit_test(limits_their_number),
        cmocka_unit_test(ignores_ranges_of_nothing),
        cmocka_unit_test(takes_the_largest_size),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
