/*
 * How a log line looks: a pure function from a record to bytes, so that tests
 * can hold it against tables.
 */
#ifndef ZOMBIE_BASE_LOG_LINE_H
#define ZOMBIE_BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/log.h"

/* The longest line, newline included; a pipe takes this much in one piece (PIPE_BUF, pipe(7)). */
#define LOG_LINE_SIZE 4096

struct log_record {
    struct timespec time; /* of CLOCK_REALTIME */
    enum log_level level;
    const char *role;
    uint64_t id; /* of the worker; 0: none */
    const char *message;
    const struct log_field *fields;
    size_t n_fields;
};

/*
 * Render the record into buf as one line that ends in '\n'; returns its length
 * in bytes. What does not fit is cut and marked with "..." (the JSON object is
 * closed all the same). Control bytes, quotes and backslashes are escaped;
 * bytes that are not UTF-8 (RFC 3629) become \xNN in text and U+FFFD in JSON.
 */
size_t log_line_render(enum log_format format, const struct log_record *record,
                       char buf[LOG_LINE_SIZE]);

/* "error", "warning", "info", "debug". */
const char *log_level_name(enum log_level level);

/* The level of that name. Returns 0, or -EINVAL and *ret_level is untouched. */
__attribute__((warn_unused_result)) int log_level_find(const char *name, enum log_level *ret_level);

#endif
