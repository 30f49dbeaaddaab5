/*
 * The log: one line an event, one write(2) a line, so that lines of several
 * processes on one descriptor never mix. Text for people, JSON for machines.
 */
#ifndef ZOMBIE_BASE_LOG_H
#define ZOMBIE_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct log_ring;

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* A key and value beside the message, for lines that programs read. */
struct log_field {
    const char *key;
    const char *text; /* NULL: the value is `number` */
    int64_t number;
};

#define LOG_TEXT(key, value) \
    {                        \
        (key), (value), 0    \
    }
#define LOG_NUMBER(key, value)        \
    {                                 \
        (key), NULL, (int64_t)(value) \
    }

/*
 * Choose level, format and target ("stderr", "stdout" or the absolute path of
 * a file that is created with mode 0640 and appended to). Until then lines go
 * to stderr as text at level info. Returns 0, or -errno when the file cannot
 * be opened; the log then stays as it was.
 */
__attribute__((warn_unused_result)) int log_open(enum log_level level, enum log_format format,
                                                 const char *target);

/* The level, and another one, until the next log_open(). */
enum log_level log_level(void);
void log_set_level(enum log_level level);

/*
 * Add each line that passes the level to this ring (base/log_ring.h) as well, also one
 * that the target does not take or when there is none; NULL: no more. The ring stays the
 * caller's, and children go on using it.
 */
void log_keep(struct log_ring *ring);

/*
 * Write to this descriptor from here on, which is the log's now, and close the
 * file that was open; -1 changes nothing.
 */
void log_move(int fd);

/* Name the process, a new one, in each line from here on: role ("worker") and its id (0: none). */
void log_identify(const char *role, uint64_t id);

/* The descriptor that lines go to; a child keeps it open across the closing of all others. */
int log_fd(void);

/*
 * Until this is called, errors that go to a file are shown on stderr as well:
 * whoever starts the program sees why it does not start.
 */
void log_settle(void);

/* Stop writing to a standard stream that is about to become /dev/null (daemon without a file). */
void log_detach(void);

/*
 * Write one line. `fields` (n_fields of them, may be NULL) follow the message
 * as key=value, or are members of the JSON object. The message and all texts
 * are escaped: no byte of theirs can end the line or reach a terminal. A line
 * over 4 KiB is cut. A line that cannot be written, now and at once, is dropped
 * and counted; the count is the first thing that gets through later. So a full
 * disk or a pipe that nobody reads never stops a server.
 */
__attribute__((format(printf, 4, 5))) void log_write(enum log_level level,
                                                     const struct log_field *fields,
                                                     size_t n_fields, const char *format, ...);

#define log_error(...)   log_write(LOG_LEVEL_ERROR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, NULL, 0, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, NULL, 0, __VA_ARGS__)

#endif
