#include "config.h"

#include "http/http_date.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DAY_S        86400
#define YEAR_S       31556952 /* of the Gregorian calendar, on average */
#define DAYS_OF_4    1461     /* years, one of them a leap year */
#define DAYS_OF_100  36524
#define DAYS_OF_400  146097
#define MARCH_0_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
/* 1970-01-01 was a Thursday. */
static const char *const day_names[] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                        "Monday",   "Tuesday", "Wednesday"};

struct moment {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/*
 * Both directions count years from March, so that a leap day is the last day
 * of one; five months from March have 153 days, as have the five after them.
 */
static void set_date(int64_t days, struct moment *moment)
{
    int day = (int)(days + MARCH_0_DAYS);
    int year = day / DAYS_OF_400 * 400;
    day %= DAYS_OF_400;
    int century = day / DAYS_OF_100 - day / (DAYS_OF_400 - 1);
    day -= century * DAYS_OF_100;
    int leap_cycle = day / DAYS_OF_4;
    day %= DAYS_OF_4;
    int rest = day / 365 - day / (DAYS_OF_4 - 1);
    day -= rest * 365;
    int month = (day * 5 + 2) / 153;
    moment->day = day - (month * 153 + 2) / 5 + 1;
    moment->month = month < 10 ? month + 3 : month - 9;
    moment->year = year + century * 100 + leap_cycle * 4 + rest + (month >= 10);
}

static int64_t count_days(const struct moment *moment)
{
    int year = moment->month > 2 ? moment->year : moment->year - 1;
    int month = moment->month > 2 ? moment->month - 3 : moment->month + 9;
    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + moment->day -
           1 - MARCH_0_DAYS;
}

static int64_t count_seconds(const struct moment *moment)
{
    return count_days(moment) * DAY_S + moment->hour * 3600 + moment->minute * 60 + moment->second;
}

static char *put_two(char *to, int value)
{
    *to++ = (char)('0' + value / 10);
    *to++ = (char)('0' + value % 10);
    return to;
}

static char *put_text(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static char *put_time(char *to, int second_of_day)
{
    to = put_two(to, second_of_day / 3600);
    *to++ = ':';
    to = put_two(to, second_of_day / 60 % 60);
    *to++ = ':';
    return put_two(to, second_of_day % 60);
}

static int64_t clamp(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > HTTP_DATE_MAX ? HTTP_DATE_MAX : seconds;
}

void http_date_format(int64_t unix_seconds, char buf[HTTP_DATE_SIZE])
{
    int64_t seconds = clamp(unix_seconds);
    int64_t days = seconds / DAY_S;
    struct moment moment;
    set_date(days, &moment);
    char *to = put_text(buf, day_names[days % 7], 3);
    to = put_text(to, ", ", 2);
    to = put_two(to, moment.day);
    *to++ = ' ';
    to = put_text(to, month_names + (moment.month - 1) * 3L, 3);
    *to++ = ' ';
    to = put_two(to, moment.year / 100);
    to = put_two(to, moment.year % 100);
    *to++ = ' ';
    to = put_time(to, (int)(seconds % DAY_S));
    memcpy(to, " GMT", sizeof " GMT");
}

/* --- Reading: each take_ function goes past what it takes, or says no. ------ */

static bool take_digits(const char **at, int n, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return true;
}

/* A number of two digits, the first of which is a space when it would be 0. */
static bool take_padded(const char **at, int *ret_value)
{
    if (**at != ' ')
        return take_digits(at, 2, ret_value) && *ret_value >= 10;
    (*at)++;
    return take_digits(at, 1, ret_value);
}

static bool take_day_name(const char **at, bool whole)
{
    for (size_t i = 0; i < sizeof day_names / sizeof day_names[0]; i++) {
        size_t len = whole ? strlen(day_names[i]) : 3;
        if (strncmp(*at, day_names[i], len) == 0) {
            *at += len;
            return true;
        }
    }
    return false;
}

static bool take_month_name(const char **at, int *ret_month)
{
    for (int month = 1; month <= 12; month++) {
        if (strncmp(*at, month_names + (month - 1) * 3L, 3) == 0) {
            *at += 3;
            *ret_month = month;
            return true;
        }
    }
    return false;
}

/* The conversions are those of strptime(3), but %e wants its space. */
static bool take_field(const char **at, char conversion, struct moment *moment)
{
    switch (conversion) {
    case 'a':
    case 'A':
        return take_day_name(at, conversion == 'A');
    case 'b':
        return take_month_name(at, &moment->month);
    case 'd':
        return take_digits(at, 2, &moment->day);
    case 'e':
        return take_padded(at, &moment->day);
    case 'y':
        return take_digits(at, 2, &moment->year);
    case 'Y':
        return take_digits(at, 4, &moment->year);
    case 'H':
        return take_digits(at, 2, &moment->hour) && moment->hour <= 23;
    case 'M':
        return take_digits(at, 2, &moment->minute) && moment->minute <= 59;
    case 'S':
        return take_digits(at, 2, &moment->second) && moment->second <= 60;
    default:
        return false;
    }
}

static bool take_all(const char *text, const char *form, struct moment *ret_moment)
{
    for (; *form != '\0'; form++) {
        if (*form == '%') {
            if (!take_field(&text, *++form, ret_moment))
                return false;
        } else if (*text++ != *form) {
            return false;
        }
    }
    return *text == '\0';
}

/* Of the years that end so, the one that is at most 50 years ahead and less than 50 ago. */
static void add_century(struct moment *moment, int64_t now_s)
{
    struct moment now;
    int64_t within = clamp(now_s);
    set_date(within / DAY_S, &now);
    moment->year += now.year / 100 * 100 + 100;
    while (count_seconds(moment) > within + 50 * (int64_t)YEAR_S)
        moment->year -= 100;
}

int http_date_parse(const char *text, int64_t now_s, int64_t *ret_seconds)
{
    static const struct {
        const char *form;
        bool is_short; /* its year has two digits */
    } forms[] = {
        {"%a, %d %b %Y %H:%M:%S GMT", false},
        {"%A, %d-%b-%y %H:%M:%S GMT", true},
        {"%a %b %e %H:%M:%S %Y", false},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct moment moment = {0};
        if (!take_all(text, forms[i].form, &moment))
            continue;
        if (forms[i].is_short)
            add_century(&moment, now_s);
        if (moment.day < 1 || moment.day > days_in_month(moment.year, moment.month))
            return -EINVAL;
        int64_t seconds = count_seconds(&moment);
        if (moment.year < 1970 || seconds > HTTP_DATE_MAX)
            return -EINVAL;
        *ret_seconds = seconds;
        return 0;
    }
    return -EINVAL;
}
