/*
 * Conditional requests (RFC 9110 section 13): entity tags, and whether a
 * request's conditions let its answer be sent. Pure functions over the values
 * of header fields; lines of the same name come joined with commas.
 */
#ifndef ZOMBIE_HTTP_CONDITIONAL_H
#define ZOMBIE_HTTP_CONDITIONAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Room for etag_format(), terminating NUL included. */
#define ETAG_SIZE 44

/*
 * Write the strong entity tag of a file, quotes included: "65f1a2b3075bcd15-400",
 * which is its time of change in seconds and nanoseconds (eight digits) and its
 * size in bytes, all in hexadecimal.
 */
void etag_format(const struct timespec *mtime, uint64_t size, char buf[ETAG_SIZE]);

/*
 * Whether an entity tag is the same as another, both with their quotes and
 * perhaps W/. The strong comparison never holds for a weak tag; the weak one
 * takes no notice (RFC 9110 section 8.8.3.2). Malformed ones equal nothing.
 */
bool etag_equals_strongly(const char *a, const char *b);
bool etag_equals_weakly(const char *a, const char *b);

/* The fields of a request; a field that it lacks is NULL. */
struct conditional_request {
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
    bool is_get_or_head;
    int64_t now_s; /* since the epoch; see http_date_parse() */
};

/* What would be sent; it exists. */
struct conditional_entity {
    const char *etag; /* with quotes, and with W/ if it is weak; NULL: it has none */
    int64_t mtime_s;  /* since the epoch, as in Last-Modified; negative: it has none */
};

enum conditional_result {
    CONDITIONAL_SEND,         /* go on with the method, and look at Range and If-Range */
    CONDITIONAL_NOT_MODIFIED, /* 304 */
    CONDITIONAL_FAILED,       /* 412 */
};

/*
 * What the conditions of a request say, in the order of RFC 9110 section
 * 13.2.2. To be asked when the answer would be a success (2xx) without them
 * (section 13.2.1). Malformed dates are as if they were not there; malformed
 * lists of entity tags match up to where they go wrong.
 */
enum conditional_result conditional_judge(const struct conditional_request *request,
                                          const struct conditional_entity *entity);

/*
 * Whether If-Range (RFC 9110 section 13.1.5) lets Range count: always for NULL,
 * for an entity tag by the strong comparison, for a date if it is our
 * Last-Modified to the byte.
 */
bool conditional_range_holds(const char *if_range, const struct conditional_entity *entity);

#endif
