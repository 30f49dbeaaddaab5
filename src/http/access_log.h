/*
 * The access log of a worker: lines wait in a buffer and go out together, in
 * whole lines, so that those of several workers on one descriptor never mix.
 * It has no timer of its own and never waits for whoever reads it.
 */
#ifndef ZOMBIE_HTTP_ACCESS_LOG_H
#define ZOMBIE_HTTP_ACCESS_LOG_H

#include <stddef.h>
#include <stdint.h>

struct access_log;
struct access_entry;
struct access_format;

/* The longest line in a file, newline included; elsewhere it is PIPE_BUF (4096, pipe(7)). */
#define ACCESS_LOG_LINE_MAX 16384

struct access_log_settings {
    int fd;                       /* opened with O_APPEND if it is a file */
    size_t buffer_bytes;          /* 0: each line goes out at once */
    int64_t flush_ms;             /* how long a line may wait */
    struct access_format *format; /* the caller's; must outlive the log */
};

/*
 * On success the descriptor is the log's, which closes it unless it is a
 * standard stream (0 to 2). Returns 0; or -ENOMEM, or -EBADF if the descriptor
 * is none, and then it is still the caller's.
 */
__attribute__((warn_unused_result)) int access_log_new(const struct access_log_settings *settings,
                                                       struct access_log **ret_log);

/*
 * Add a line; `now_ms` is clock_now_ms(), here and below. When it does not fit
 * into the buffer, those before it go out first, in one write(2) for a file
 * and in pieces of at most PIPE_BUF bytes for all else.
 *
 * Lines that cannot be written at once are not waited for. Those that a full
 * pipe or socket has no room for stay as long as the buffer has; then new ones
 * are dropped. After any other error (a full disk, a reader that is gone) all
 * of the buffer is dropped. What was lost is counted, and said in the log of
 * the process (base/log.h), at most once a second.
 */
void access_log_write(struct access_log *log, const struct access_entry *entry, int64_t now_ms);

/*
 * Write out what waits: when access_log_due_ms() has come, when the worker
 * drains, and just before it dies on purpose.
 */
void access_log_flush(struct access_log *log, int64_t now_ms);

/* When access_log_flush() must be called at the latest, as clock_now_ms(); -1: no need. */
int64_t access_log_due_ms(const struct access_log *log);

/*
 * Write out what waits, then go on with this descriptor, which is the log's
 * now, and close the old one. What a full pipe did not take goes to the new
 * one. Returns 0; or -EBADF if it is no descriptor, and nothing has changed
 * but the buffer.
 */
__attribute__((warn_unused_result)) int access_log_move(struct access_log *log, int fd,
                                                        int64_t now_ms);

/* Write out what waits, say what was lost, close the descriptor. NULL is fine. */
void access_log_free(struct access_log *log);

#endif
