/*
 * Dates as HTTP writes them (RFC 9110 section 5.6.7), without the C library's
 * calendar: no locale, no time zone. Pure functions.
 */
#ifndef ZOMBIE_HTTP_HTTP_DATE_H
#define ZOMBIE_HTTP_HTTP_DATE_H

#include <stdint.h>

/* Room for http_date_format(), terminating NUL included. */
#define HTTP_DATE_SIZE 30

/* The last second that can be written: the end of the year 9999. */
#define HTTP_DATE_MAX INT64_C(253402300799)

/*
 * Write a moment, in seconds since the epoch, as IMF-fixdate
 * ("Sun, 06 Nov 1994 08:49:37 GMT"). Moments before 1970 and after 9999 are
 * written as the first or last one in between.
 */
void http_date_format(int64_t unix_seconds, char buf[HTTP_DATE_SIZE]);

/*
 * Read an IMF-fixdate, or one of the obsolete forms that a recipient must take:
 * rfc850-date ("Sunday, 06-Nov-94 08:49:37 GMT") and asctime-date
 * ("Sun Nov  6 08:49:37 1994"). All of `text` must be the date; names are
 * case-sensitive; the name of the day need not fit the date; a leap second
 * counts as the second after it. now_s, in seconds since the epoch, decides the
 * century of an rfc850-date: none is more than 50 years in the future.
 * Returns 0 and sets *ret_seconds, 0..HTTP_DATE_MAX; -EINVAL for anything else,
 * dates before 1970 included.
 */
__attribute__((warn_unused_result)) int http_date_parse(const char *text, int64_t now_s,
                                                        int64_t *ret_seconds);

#endif
