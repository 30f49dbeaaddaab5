#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_line.h"
#include "base/log_ring.h"

/* One log a process, as there is one stderr: the only state of this folder. */
static struct {
    int fd; /* -1: nowhere */
    enum log_level level;
    enum log_format format;
    const char *role;
    uint64_t id;
    uint64_t lost; /* lines since the last that got through */
    bool torn;     /* the disk took only the beginning of the last one */
    bool settled;
    struct log_ring *ring; /* NULL: lines are not kept */
} current = {STDERR_FILENO, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "master", 0, 0, false, false, NULL};

static int target_open(const char *target)
{
    if (strcmp(target, "stderr") == 0)
        return STDERR_FILENO;
    if (strcmp(target, "stdout") == 0)
        return STDOUT_FILENO;
    /* O_NONBLOCK: to open a FIFO that nobody reads would wait for a reader. */
    int fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    /* cppcheck-suppress resourceLeak ; it is what the function returns */
    return fd >= 0 ? fd : -errno;
}

int log_open(enum log_level level, enum log_format format, const char *target)
{
    int fd = target_open(target);
    if (fd < 0)
        return fd;
    log_move(fd);
    current.level = level;
    current.format = format;
    return 0;
}

enum log_level log_level(void)
{
    return current.level;
}

void log_set_level(enum log_level level)
{
    current.level = level;
}

void log_keep(struct log_ring *ring)
{
    current.ring = ring;
}

void log_move(int fd)
{
    if (fd < 0)
        return;
    if (current.fd > STDERR_FILENO)
        close(current.fd);
    current.fd = fd;
}

void log_identify(const char *role, uint64_t id)
{
    current.role = role;
    current.id = id;
    current.lost = 0; /* what the process before the fork has lost is its own affair */
}

int log_fd(void)
{
    return current.fd;
}

void log_settle(void)
{
    current.settled = true;
}

void log_detach(void)
{
    if (current.fd <= STDERR_FILENO)
        current.fd = -1;
}

/*
 * A pipe that nobody reads would keep write(2) from returning. poll(2) says
 * beforehand whether a line of at most PIPE_BUF bytes fits (pipe(7)).
 */
static ssize_t write_at_once(const char *bytes, size_t len)
{
    struct pollfd ready = {.fd = current.fd, .events = POLLOUT};
    ssize_t n;
    if (poll(&ready, 1, 0) == 0)
        return -1;
    do
        n = write(current.fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* A line that was torn is lost, and must not swallow the one after it. */
static bool write_line(const char *line, size_t len)
{
    if (current.torn && write_at_once("\n", 1) != 1)
        return false;
    ssize_t n = write_at_once(line, len);
    current.torn = n > 0 && (size_t)n < len;
    return n == (ssize_t)len;
}

static size_t render(struct log_record *record, char line[LOG_LINE_SIZE])
{
    clock_gettime(CLOCK_REALTIME, &record->time);
    record->role = current.role;
    record->id = current.id;
    return log_line_render(current.format, record, line);
}

/* Before the first line that gets through again, one that counts those that did not. */
static bool confess_losses(void)
{
    struct log_field lost = LOG_NUMBER("lines", current.lost);
    struct log_record record = {.level = LOG_LEVEL_WARNING,
                                .message = "lines of the log were lost: it could not be written",
                                .fields = &lost,
                                .n_fields = 1};
    char line[LOG_LINE_SIZE];
    if (current.lost > 0 && !write_line(line, render(&record, line)))
        return false;
    current.lost = 0;
    return true;
}

/* The worker that the line is about, by its field of that name; 0: none. */
static uint64_t find_worker(const struct log_record *record)
{
    for (size_t i = 0; i < record->n_fields; i++)
        if (record->fields[i].text == NULL && strcmp(record->fields[i].key, "worker") == 0)
            return (uint64_t)record->fields[i].number;
    return 0;
}

static void emit(struct log_record *record)
{
    char line[LOG_LINE_SIZE];
    bool writable = current.fd >= 0 && confess_losses();
    size_t len = render(record, line);
    if (current.ring != NULL)
        log_ring_add(current.ring, current.role, current.id, find_worker(record), record->level,
                     line, len);
    if (current.fd >= 0 && (!writable || !write_line(line, len)))
        current.lost++;
}

void log_write(enum log_level level, const struct log_field *fields, size_t n_fields,
               const char *format, ...)
{
    if (level > current.level || (current.fd < 0 && current.ring == NULL))
        return;
    char message[LOG_LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct log_record record = {
        .level = level, .message = message, .fields = fields, .n_fields = n_fields};
    int saved_errno = errno;
    if (level == LOG_LEVEL_ERROR && !current.settled && current.fd >= 0 &&
        current.fd != STDERR_FILENO)
        dprintf(STDERR_FILENO, "%s\n", message);
    emit(&record);
    errno = saved_errno;
}
