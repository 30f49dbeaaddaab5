/*
 * The buffer of the access log: when it writes, in which pieces, and what it
 * does when nobody takes its lines.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/access_format.h"
#include "base/log.h"
#include "http/access_log.h"

#define FLUSH_MS 1000

static struct access_format *format;

static int set_up(void **state)
{
    char why[ACCESS_FORMAT_WHY_SIZE];
    (void)state;
    return access_format_compile("$uri", &format, why);
}

static int tear_down(void **state)
{
    (void)state;
    access_format_free(format);
    return 0;
}

static struct access_log *open_log(int fd, size_t buffer_bytes)
{
    struct access_log_settings settings = {fd, buffer_bytes, FLUSH_MS, format};
    struct access_log *log;

    assert_int_equal(access_log_new(&settings, &log), 0);
    return log;
}

static void write_line(struct access_log *log, const char *text, int64_t now_ms)
{
    struct access_entry entry = {.path = {text, strlen(text)}};
    access_log_write(log, &entry, now_ms);
}

static int open_file(void)
{
    int fd = memfd_create("access", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    return fd;
}

static void assert_file(int fd, const char *expected)
{
    char buf[256];
    ssize_t n = pread(fd, buf, sizeof buf - 1, 0);

    assert_true(n >= 0);
    buf[n] = '\0';
    assert_string_equal(buf, expected);
}

static void open_pipe(int ends[2])
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
}

/* One file for the log of the process; returns another descriptor of it. */
static int catch_reports(void)
{
    int fd = open_file();
    log_move(dup(fd));
    return fd;
}

static int count_reports(int fd, const char *with)
{
    char text[4096];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    int count = 0;

    text[n > 0 ? n : 0] = '\0';
    for (const char *at = text; (at = strstr(at, with)) != NULL; at++)
        count++;
    return count;
}

static void lines_wait_for_each_other(void **state)
{
    int fd = open_file(), seen = dup(fd);
    struct access_log *log = open_log(fd, 8);
    (void)state;

    assert_int_equal(access_log_due_ms(log), -1);
    write_line(log, "one", 50);
    write_line(log, "two", 60);
    assert_file(seen, "");
    assert_int_equal(access_log_due_ms(log), 50 + FLUSH_MS);
    write_line(log, "three", 70);
    assert_file(seen, "one\ntwo\n");
    assert_int_equal(access_log_due_ms(log), 70 + FLUSH_MS);
    access_log_flush(log, 80);
    assert_file(seen, "one\ntwo\nthree\n");
    assert_int_equal(access_log_due_ms(log), -1);
    access_log_flush(log, 90);
    write_line(log, "longer than the buffer", 100);
    assert_int_equal(access_log_due_ms(log), -1);
    write_line(log, "last", 110);
    access_log_free(log);
    assert_file(seen, "one\ntwo\nthree\nlonger than the buffer\nlast\n");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    close(seen);
}

static void no_buffer_is_fine(void **state)
{
    int fd = open_file(), seen = dup(fd);
    struct access_log *log = open_log(fd, 0);
    (void)state;

    write_line(log, "one", 0);
    assert_file(seen, "one\n");
    assert_int_equal(access_log_due_ms(log), -1);
    access_log_free(log);
    access_log_free(NULL);
    close(seen);
}

static void moves(void **state)
{
    int old = open_file(), seen = dup(old), new = open_file(), seen_new = dup(new);
    struct access_log *log = open_log(old, 100);
    (void)state;

    write_line(log, "one", 0);
    assert_int_equal(access_log_move(log, -1, 1), -EBADF);
    assert_int_equal(access_log_move(log, new, 1), 0);
    assert_int_equal(fcntl(old, F_GETFD), -1);
    write_line(log, "two", 2);
    access_log_free(log);
    assert_file(seen, "one\n");
    assert_file(seen_new, "two\n");
    close(seen);
    close(seen_new);
}

/* A socket of packets shows what one write(2) was. */
static void writes_whole_lines(void **state)
{
    char line[1001], packet[2 * PIPE_BUF];
    struct access_log *log;
    int ends[2];
    (void)state;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    log = open_log(ends[1], 65536);
    memset(line, 'x', 1000);
    line[1000] = '\0';
    for (int i = 0; i < 10; i++)
        write_line(log, line, 0);
    access_log_flush(log, 0);
    for (int i = 0; i < 3; i++) {
        ssize_t n = recv(ends[0], packet, sizeof packet, MSG_DONTWAIT);
        assert_int_equal(n, i < 2 ? 4004 : 2002);
        assert_int_equal(packet[n - 1], '\n');
    }
    assert_int_equal(access_log_due_ms(log), -1); /* nothing waits, nothing was lost */
    access_log_free(log);
    close(ends[0]);
}

static void the_longest_line(void **state)
{
    static char path[20001], read_back[20001];
    int fd = open_file(), seen = dup(fd), ends[2];
    struct access_log *log = open_log(fd, 100);
    (void)state;

    memset(path, 'x', sizeof path - 1);
    write_line(log, path, 0);
    access_log_free(log);
    assert_int_equal(pread(seen, read_back, sizeof read_back, 0), ACCESS_LOG_LINE_MAX);
    close(seen);
    open_pipe(ends);
    log = open_log(ends[1], 100);
    write_line(log, path, 0);
    assert_int_equal(read(ends[0], read_back, sizeof read_back), PIPE_BUF);
    access_log_free(log);
    close(ends[0]);
}

static void fill(int fd)
{
    static const char page[PIPE_BUF];
    int flags = fcntl(fd, F_GETFL);

    assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(fd, page, sizeof page) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

static void empty(int fd)
{
    char page[PIPE_BUF];

    while (read(fd, page, sizeof page) > 0)
        ;
}

static void a_full_pipe_is_not_waited_for(void **state)
{
    int ends[2], reports = catch_reports();
    char buf[64];
    (void)state;

    open_pipe(ends);
    struct access_log *log = open_log(ends[1], 8);
    fill(ends[1]);
    write_line(log, "one", 0);
    write_line(log, "two", 0);
    access_log_flush(log, 10);
    assert_int_equal(access_log_due_ms(log), 10 + FLUSH_MS);
    assert_int_equal(count_reports(reports, "lines="), 0);
    write_line(log, "three", 20);
    assert_int_equal(count_reports(reports, "lines=1"), 1);
    write_line(log, "four", 30);
    write_line(log, "five", 1019);
    assert_int_equal(count_reports(reports, "lines of the access log were lost"), 1);
    assert_int_equal(access_log_due_ms(log), 1020);
    access_log_flush(log, 1020);
    assert_int_equal(count_reports(reports, "lines=2"), 1);

    empty(ends[0]);
    write_line(log, "six", 1030);
    access_log_free(log);
    ssize_t n = read(ends[0], buf, sizeof buf);
    assert_int_equal(n, 12);
    assert_memory_equal(buf, "one\ntwo\nsix\n", 12);
    close(ends[0]);
    close(reports);
}

static void what_is_left_is_counted_at_the_end(void **state)
{
    int ends[2], reports = catch_reports();
    (void)state;

    open_pipe(ends);
    struct access_log *log = open_log(ends[1], 100);
    fill(ends[1]);
    write_line(log, "one", 0);
    write_line(log, "two", 0);
    access_log_free(log);
    assert_int_equal(count_reports(reports, "lines=2"), 1);
    close(ends[0]);
    close(reports);
}

static void a_full_disk_loses_lines(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), reports = catch_reports();
    int good = open_file(), seen = dup(good);
    struct access_log *log;
    (void)state;

    if (fd < 0)
        skip();
    log = open_log(fd, 100);
    write_line(log, "one", 0);
    write_line(log, "two", 0);
    access_log_flush(log, 10);
    assert_int_equal(count_reports(reports, "lines=2"), 1);
    assert_int_equal(access_log_due_ms(log), -1);
    assert_int_equal(count_reports(reports, strerror(ENOSPC)), 1);
    assert_int_equal(access_log_move(log, good, 20), 0);
    write_line(log, "three", 30);
    access_log_free(log);
    assert_file(seen, "three\n");
    close(seen);
    close(reports);
}

static void a_reader_that_is_gone(void **state)
{
    int ends[2], reports = catch_reports();
    (void)state;

    open_pipe(ends);
    struct access_log *log = open_log(ends[1], 0);
    close(ends[0]);
    write_line(log, "one", 0);
    assert_int_equal(count_reports(reports, "lines=1"), 1);
    assert_int_equal(count_reports(reports, strerror(EPIPE)), 1);
    access_log_free(log);
    close(reports);
}

static void needs_a_descriptor(void **state)
{
    struct access_log_settings settings = {-1, 100, FLUSH_MS, format};
    struct access_log *log = NULL;
    (void)state;

    assert_int_equal(access_log_new(&settings, &log), -EBADF);
    settings.buffer_bytes = SIZE_MAX;
    assert_int_equal(access_log_new(&settings, &log), -ENOMEM);
    assert_null(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_wait_for_each_other),
        cmocka_unit_test(no_buffer_is_fine),
        cmocka_unit_test(moves),
        cmocka_unit_test(writes_whole_lines),
        cmocka_unit_test(the_longest_line),
        cmocka_unit_test(a_full_pipe_is_not_waited_for),
        cmocka_unit_test(what_is_left_is_counted_at_the_end),
        cmocka_unit_test(a_full_disk_loses_lines),
        cmocka_unit_test(a_reader_that_is_gone),
        cmocka_unit_test(needs_a_descriptor),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
