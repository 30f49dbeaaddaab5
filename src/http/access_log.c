#include "config.h"

#include "http/access_log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/access_format.h"
#include "base/log.h"

#define REPORT_MS 1000

struct access_log {
    int fd;
    bool is_file; /* a regular one: takes all at once */
    bool torn;    /* the disk took only the beginning of the last line */
    size_t buffer_bytes;
    int64_t flush_ms;
    struct access_format *format;
    size_t used;
    int64_t due_ms;    /* of the oldest line in the buffer */
    uint64_t lost;     /* lines, ever */
    uint64_t reported; /* of those */
    int64_t report_ms; /* not before this the next report */
    int error;         /* why the last ones were lost, an errno value */
    char buffer[];     /* buffer_bytes and room for a line that may turn out not to fit */
};

/* Take over the descriptor, if it is one. */
static int adopt(struct access_log *log, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    log->fd = fd;
    log->is_file = S_ISREG(status.st_mode);
    log->torn = false;
    return 0;
}

static void abandon(int fd)
{
    if (fd > STDERR_FILENO)
        close(fd);
}

int access_log_new(const struct access_log_settings *settings, struct access_log **ret_log)
{
    struct access_log *log = NULL;
    if (settings->buffer_bytes < SIZE_MAX - sizeof *log - ACCESS_LOG_LINE_MAX)
        log = malloc(sizeof *log + settings->buffer_bytes + ACCESS_LOG_LINE_MAX);
    if (log == NULL)
        return -ENOMEM;
    *log = (struct access_log){.buffer_bytes = settings->buffer_bytes,
                               .flush_ms = settings->flush_ms,
                               .format = settings->format,
                               .report_ms = INT64_MIN};
    int r = adopt(log, settings->fd);
    if (r < 0) {
        free(log);
        return r;
    }
    *ret_log = log;
    return 0;
}

static uint64_t count_lines(const char *bytes, size_t len)
{
    uint64_t n = 0;
    const char *end = bytes + len;
    while (bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        bytes++;
        n++;
    }
    return n;
}

static void report(struct access_log *log)
{
    struct log_field fields[] = {LOG_NUMBER("lines", log->lost - log->reported),
                                 LOG_TEXT("error", strerror(log->error))};
    log_write(LOG_LEVEL_WARNING, fields, 2,
              "lines of the access log were lost: it could not be written; trying again with "
              "the next");
    log->reported = log->lost;
}

static void report_in_time(struct access_log *log, int64_t now_ms)
{
    if (log->lost == log->reported || now_ms < log->report_ms)
        return;
    report(log);
    log->report_ms = now_ms + REPORT_MS;
}

/*
 * A pipe may be shared with whoever passed it and so cannot be made
 * non-blocking. poll(2) says whether PIPE_BUF bytes fit, and RWF_NOWAIT covers
 * the moment between the look and the write where the kernel has it for pipes.
 */
static ssize_t write_unless_full(int fd, const char *bytes, size_t len)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    if (poll(&ready, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ESPIPE))
        n = write(fd, bytes, len);
    return n;
}

/* Returns how many bytes were written, or -errno. */
static ssize_t write_at_once(const struct access_log *log, const char *bytes, size_t len)
{
    ssize_t n;
    do
        n = log->is_file ? write(log->fd, bytes, len) : write_unless_full(log->fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* As many whole lines as one write may have. */
static size_t next_piece(const struct access_log *log, const char *bytes, size_t len)
{
    if (log->is_file || len <= PIPE_BUF)
        return len;
    const char *end = memrchr(bytes, '\n', PIPE_BUF);
    if (end == NULL) /* from a file that the log has moved away from */
        end = memchr(bytes, '\n', len);
    return end != NULL ? (size_t)(end - bytes) + 1 : len;
}

/* Write one piece; returns its length or -errno. What was torn is lost, for the most part. */
static ssize_t write_piece(struct access_log *log, const char *bytes, size_t len)
{
    if (log->torn) {
        ssize_t n = write_at_once(log, "\n", 1);
        if (n < 0)
            return n;
        log->torn = false;
    }
    size_t whole = next_piece(log, bytes, len);
    ssize_t n = write_at_once(log, bytes, whole);
    if (n < 0 || (size_t)n == whole)
        return n;
    log->torn = n > 0 && bytes[n - 1] != '\n';
    log->lost += count_lines(bytes + n, whole - (size_t)n);
    log->error = log->is_file ? ENOSPC : EAGAIN;
    return (ssize_t)whole;
}

static void drop_all(struct access_log *log, int error)
{
    log->lost += count_lines(log->buffer, log->used);
    log->error = error;
    log->used = 0;
}

/* Write what is in the buffer; what a full pipe did not take is there afterwards. */
static void drain(struct access_log *log)
{
    size_t done = 0;
    while (done < log->used) {
        ssize_t n = write_piece(log, log->buffer + done, log->used - done);
        if (n < 0) {
            log->used -= done;
            memmove(log->buffer, log->buffer + done, log->used);
            if (n != -EAGAIN)
                drop_all(log, (int)-n);
            return;
        }
        done += (size_t)n;
    }
    log->used = 0;
}

void access_log_flush(struct access_log *log, int64_t now_ms)
{
    drain(log);
    log->due_ms = now_ms + log->flush_ms;
    report_in_time(log, now_ms);
}

/* Empty the buffer for the line that lies behind it, and move that line up. */
static void make_room(struct access_log *log, size_t len, int64_t now_ms)
{
    size_t before = log->used;
    drain(log);
    memmove(log->buffer + log->used, log->buffer + before, len);
    log->due_ms = now_ms + log->flush_ms;
}

void access_log_write(struct access_log *log, const struct access_entry *entry, int64_t now_ms)
{
    size_t most = log->is_file ? ACCESS_LOG_LINE_MAX : PIPE_BUF;
    size_t len = access_format_render(log->format, entry, log->buffer + log->used, most);
    if (log->used == 0)
        log->due_ms = now_ms + log->flush_ms;
    if (len > log->buffer_bytes - log->used)
        make_room(log, len, now_ms);
    if (log->used == 0 || len <= log->buffer_bytes - log->used) {
        log->used += len;
    } else {
        log->lost++;
        log->error = EAGAIN;
    }
    if (log->used > log->buffer_bytes) {
        /* A line that is longer than the buffer cannot wait in it. */
        drain(log);
        if (log->used > 0)
            drop_all(log, EAGAIN);
    }
    report_in_time(log, now_ms);
}

int64_t access_log_due_ms(const struct access_log *log)
{
    bool untold = log->lost > log->reported;
    if (log->used > 0 && (!untold || log->due_ms < log->report_ms))
        return log->due_ms;
    return untold ? log->report_ms : -1;
}

int access_log_move(struct access_log *log, int fd, int64_t now_ms)
{
    int old = log->fd;
    access_log_flush(log, now_ms);
    int r = adopt(log, fd);
    if (r == 0 && old != fd)
        abandon(old);
    return r;
}

void access_log_free(struct access_log *log)
{
    if (log == NULL)
        return;
    drain(log);
    if (log->used > 0)
        drop_all(log, EAGAIN);
    if (log->lost > log->reported)
        report(log);
    abandon(log->fd);
    free(log);
}
