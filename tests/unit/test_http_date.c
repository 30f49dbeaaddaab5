/*
 * Dates of HTTP: written and read, in all three forms, from 1970 to 9999.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "http/http_date.h"

#define NOW   INT64_C(1792000000) /* Wed, 14 Oct 2026 */
#define YEAR  INT64_C(31536000)
#define IN_94 INT64_C(784111777)

static const struct {
    int64_t seconds;
    const char *text;
} dates[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {1, "Thu, 01 Jan 1970 00:00:01 GMT"},
    {86399, "Thu, 01 Jan 1970 23:59:59 GMT"},
    {86400, "Fri, 02 Jan 1970 00:00:00 GMT"},
    {68169600, "Tue, 29 Feb 1972 00:00:00 GMT"},
    {IN_94, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
    {951868799, "Tue, 29 Feb 2000 23:59:59 GMT"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
    {1704067199, "Sun, 31 Dec 2023 23:59:59 GMT"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {13574563200, "Tue, 29 Feb 2400 00:00:00 GMT"},
    {HTTP_DATE_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void writes_dates(void **state)
{
    char buf[HTTP_DATE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        http_date_format(dates[i].seconds, buf);
        assert_string_equal(buf, dates[i].text);
    }
}

static void clamps_what_it_cannot_write(void **state)
{
    char buf[HTTP_DATE_SIZE];

    (void)state;
    http_date_format(-1, buf);
    assert_string_equal(buf, "Thu, 01 Jan 1970 00:00:00 GMT");
    http_date_format(INT64_MIN, buf);
    assert_string_equal(buf, "Thu, 01 Jan 1970 00:00:00 GMT");
    http_date_format(HTTP_DATE_MAX + 1, buf);
    assert_string_equal(buf, "Fri, 31 Dec 9999 23:59:59 GMT");
    http_date_format(INT64_MAX, buf);
    assert_string_equal(buf, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        int64_t seconds = -1;

        assert_int_equal(http_date_parse(dates[i].text, NOW, &seconds), 0);
        assert_int_equal(seconds, dates[i].seconds);
    }
}

/* One moment a day of the 500 years that hold every kind of leap year, and some later ones. */
static void agrees_with_the_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 2932896; day += day < 182500 ? 1 : 97) {
        int64_t seconds = day * 86400 + day % 86400;
        int64_t parsed = -1;
        char ours[HTTP_DATE_SIZE], theirs[HTTP_DATE_SIZE];
        time_t when = (time_t)seconds;
        struct tm tm;

        assert_non_null(gmtime_r(&when, &tm));
        assert_int_equal(strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm),
                         HTTP_DATE_SIZE - 1);
        http_date_format(seconds, ours);
        if (strcmp(ours, theirs) != 0)
            fail_msg("%s instead of %s", ours, theirs);
        if (http_date_parse(ours, NOW, &parsed) != 0 || parsed != seconds)
            fail_msg("%s read as %" PRId64, ours, parsed);
    }
}

static void reads_the_obsolete_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sunday, 06-Nov-94 08:49:37 GMT", IN_94},
        {"Sun Nov  6 08:49:37 1994", IN_94},
        {"Wednesday, 01-Mar-00 00:00:00 GMT", 951868800},
        {"Tuesday, 29-Feb-00 23:59:59 GMT", 951868799},
        {"Tue Feb 29 23:59:59 2000", 951868799},
        {"Thu Jan  1 00:00:00 1970", 0},
        {"Fri Dec 31 23:59:59 9999", HTTP_DATE_MAX},
        {"Mon, 06 Nov 1994 08:49:37 GMT", IN_94},
        {"Saturday, 06-Nov-94 08:49:37 GMT", IN_94},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds = -1;
        int r = http_date_parse(cases[i].text, NOW, &seconds);

        if (r != 0 || seconds != cases[i].seconds)
            fail_msg("\"%s\": result %d, %" PRId64, cases[i].text, r, seconds);
    }
}

/* RFC 9110 section 5.6.7: two digits of a year never mean more than 50 years ahead. */
static void finds_the_century(void **state)
{
    static const struct {
        const char *text;
        int64_t now_s;
        const char *same;
    } cases[] = {
        {"Monday, 01-Jan-26 00:00:00 GMT", NOW, "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"Monday, 01-Jan-76 00:00:00 GMT", NOW, "Wed, 01 Jan 2076 00:00:00 GMT"},
        {"Monday, 31-Dec-76 00:00:00 GMT", NOW, "Fri, 31 Dec 1976 00:00:00 GMT"},
        {"Monday, 01-Jan-77 00:00:00 GMT", NOW, "Sat, 01 Jan 1977 00:00:00 GMT"},
        {"Monday, 31-Dec-99 00:00:00 GMT", NOW, "Fri, 31 Dec 1999 00:00:00 GMT"},
        {"Monday, 01-Jan-05 00:00:00 GMT", NOW + 72 * YEAR, "Thu, 01 Jan 2105 00:00:00 GMT"},
        {"Monday, 01-Jan-99 00:00:00 GMT", NOW + 76 * YEAR, "Thu, 01 Jan 2099 00:00:00 GMT"},
        {"Monday, 01-Jan-70 00:00:00 GMT", 0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"Monday, 01-Jan-70 00:00:00 GMT", INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"Monday, 01-Jan-99 00:00:00 GMT", INT64_MAX, "Fri, 01 Jan 9999 00:00:00 GMT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds = -1;
        char buf[HTTP_DATE_SIZE];
        int r = http_date_parse(cases[i].text, cases[i].now_s, &seconds);

        if (r != 0)
            fail_msg("\"%s\": result %d", cases[i].text, r);
        http_date_format(seconds, buf);
        assert_string_equal(buf, cases[i].same);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 30 Feb 2000 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "Sat, 01 Jan 0000 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sunday, 29-Feb-94 08:49:37 GMT",
        "Sunday Nov  6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Dec 31 23:59:59 1969",
        "Sun, %d %b %Y %H:%M:%S GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t seconds = -7;
        int r = http_date_parse(texts[i], NOW, &seconds);

        if (r != -EINVAL || seconds != -7)
            fail_msg("\"%s\": result %d", texts[i], r);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_dates),
        cmocka_unit_test(clamps_what_it_cannot_write),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(reads_the_obsolete_forms),
        cmocka_unit_test(finds_the_century),
        cmocka_unit_test(refuses_everything_else),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
