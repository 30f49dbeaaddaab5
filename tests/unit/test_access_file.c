/*
 * What the master opens for the access log.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/access_file.h"
#include "conf/conf.h"

static char folder[] = "/tmp/zombie-access-XXXXXX", path[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/access.log", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static int open_target(const char *target, int *fd)
{
    struct conf_access_log conf = {.target = (char *)target};
    return access_file_open(&conf, fd);
}

static int opened(const char *target)
{
    int fd = -2;

    assert_int_equal(open_target(target, &fd), 0);
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    return fd;
}

static void off_is_none(void **state)
{
    int fd = -2;

    (void)state;
    assert_int_equal(open_target("off", &fd), 0);
    assert_int_equal(fd, -1);
}

static void assert_same_file(int a, int b)
{
    struct stat one, other;

    assert_int_equal(fstat(a, &one), 0);
    assert_int_equal(fstat(b, &other), 0);
    assert_true(one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

/* The standard streams are pipes meanwhile, or both might be the same file. */
static void a_stream_is_itself(void **state)
{
    int fd = -2;

    (void)state;
    assert_int_equal(open_target("stdout", &fd), 0);
    assert_int_equal(fd, STDOUT_FILENO);
    assert_int_equal(open_target("stderr", &fd), 0);
    assert_int_equal(fd, STDERR_FILENO);
    access_file_close(fd);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    access_file_close(-1);
}

static void a_stream_may_be_closed(void **state)
{
    int kept = dup(STDOUT_FILENO), fd = -2, err;

    (void)state;
    fflush(NULL);
    close(STDOUT_FILENO);
    err = open_target("stdout", &fd);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_int_equal(err, -EBADF);
    assert_int_equal(fd, -2);
}

static void a_new_file_is_not_for_everybody(void **state)
{
    mode_t mask = umask(0);
    struct stat status;
    int fd = opened(path);

    (void)state;
    umask(mask);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    close(fd);
}

static void a_file_is_appended_to(void **state)
{
    char text[16];
    int first = opened(path), second = opened(path), seen = open(path, O_RDONLY);

    (void)state;
    assert_true((fcntl(first, F_GETFL) & O_APPEND) != 0);
    assert_int_equal(write(first, "one\n", 4), 4);
    assert_int_equal(write(second, "two\n", 4), 4);
    assert_int_equal(write(first, "three\n", 6), 6);
    assert_int_equal(read(seen, text, sizeof text), 14);
    assert_memory_equal(text, "one\ntwo\nthree\n", 14);
    close(first);
    close(second);
    close(seen);
}

static void a_link_is_followed(void **state)
{
    char link_path[80];
    int fd, there;

    (void)state;
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    assert_int_equal(symlink(path, link_path), 0);
    fd = opened(link_path);
    there = open(path, O_RDONLY);
    unlink(link_path);
    assert_true(there >= 0);
    assert_same_file(fd, there);
    close(fd);
    close(there);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
    char below[96];
    int fd = -2;

    (void)state;
    snprintf(below, sizeof below, "%s/missing/access.log", folder);
    assert_int_equal(open_target(below, &fd), -ENOENT);
    assert_int_equal(open_target(folder, &fd), -EISDIR);
    assert_int_equal(fd, -2);
}

/* Nobody reads it: to open it must not wait until somebody does. */
static void a_pipe_without_reader_is_an_error(void **state)
{
    int fd = -2;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(open_target(path, &fd), -ENXIO);
    assert_int_equal(fd, -2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(off_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_is_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_may_be_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_is_not_for_everybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_appended_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_without_reader_is_an_error, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
