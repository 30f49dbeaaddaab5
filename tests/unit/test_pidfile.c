/*
 * The pid file: who holds the lock, and what becomes of a file that others
 * delete, replace or take.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/pidfile.h"

/* A folder of its own, and the pid file in a folder below. */
struct test {
    char top[PATH_MAX - 64];
    char folder[PATH_MAX - 32];
    char path[PATH_MAX];
    struct pidfile *pidfile;
    char error[PIDFILE_ERROR_SIZE];
};

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    const char *tmp = getenv("TMPDIR");

    assert_non_null(test);
    snprintf(test->top, sizeof(test->top), "%s/zombie-pidfile-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(test->top));
    snprintf(test->folder, sizeof(test->folder), "%s/run", test->top);
    snprintf(test->path, sizeof(test->path), "%s/zombie.pid", test->folder);
    assert_int_equal(mkdir(test->folder, 0700), 0);
    assert_int_equal(pidfile_open(test->path, &test->pidfile, test->error), 0);
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;

    pidfile_close(test->pidfile);
    rmdir(test->folder);
    assert_int_equal(rmdir(test->top), 0);
    free(test);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Whether the file has this process's id and nothing else. */
static bool has_our_pid(const char *path)
{
    char text[64] = "";
    char wanted[64];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    snprintf(wanted, sizeof(wanted), "%d\n", (int)getpid());
    return strcmp(text, wanted) == 0;
}

/* As another master: lock what is at the path. Returns the descriptor or -errno. */
static int lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -errno;
}

static bool same_file(int fd, const char *path)
{
    struct stat open_file, named_file;

    return fstat(fd, &open_file) == 0 && stat(path, &named_file) == 0 &&
           open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

static void holds_the_lock(void **state)
{
    struct test *test = *state;
    struct pidfile *second = NULL;

    assert_string_equal(pidfile_path(test->pidfile), test->path);
    assert_true(same_file(pidfile_fd(test->pidfile), test->path));
    assert_int_equal(fcntl(pidfile_fd(test->pidfile), F_GETFD), FD_CLOEXEC);
    assert_true(has_our_pid(test->path));
    assert_int_equal(lock(test->path), -EWOULDBLOCK);
    assert_int_equal(pidfile_open(test->path, &second, test->error), -EWOULDBLOCK);
    assert_non_null(strstr(test->error, " is held by a master that runs, process "));
    assert_null(second);
    pidfile_close(test->pidfile);
    test->pidfile = NULL;
    assert_int_equal(access(test->path, F_OK), -1);
}

static void takes_what_a_dead_master_left(void **state)
{
    struct test *test = *state;

    pidfile_close(test->pidfile);
    test->pidfile = NULL;
    write_file(test->path, "1234567 and a longer text than ours\n");
    assert_int_equal(pidfile_open(test->path, &test->pidfile, test->error), 0);
    assert_true(has_our_pid(test->path));
}

static void leaves_a_good_file_alone(void **state)
{
    struct test *test = *state;
    int fd = pidfile_fd(test->pidfile);

    for (int i = 0; i < 3; i++)
        assert_int_equal(pidfile_check(test->pidfile), 0);
    assert_int_equal(pidfile_fd(test->pidfile), fd);
}

/* After a check that returned 1: all as after pidfile_open(). */
static void assert_made_again(const struct test *test)
{
    assert_true(same_file(pidfile_fd(test->pidfile), test->path));
    assert_int_equal(fcntl(pidfile_fd(test->pidfile), F_GETFD), FD_CLOEXEC);
    assert_true(has_our_pid(test->path));
    assert_int_equal(lock(test->path), -EWOULDBLOCK);
    assert_int_equal(pidfile_check(test->pidfile), 0);
}

static void makes_a_deleted_file_again(void **state)
{
    struct test *test = *state;

    assert_int_equal(unlink(test->path), 0);
    assert_int_equal(pidfile_check(test->pidfile), 1);
    assert_made_again(test);
}

static void takes_a_replaced_file(void **state)
{
    struct test *test = *state;
    char other[PATH_MAX + 8];

    snprintf(other, sizeof(other), "%s.new", test->path);
    write_file(other, "7\n");
    assert_int_equal(rename(other, test->path), 0);
    assert_int_equal(pidfile_check(test->pidfile), 1);
    assert_made_again(test);
}

static void waits_for_the_folder(void **state)
{
    struct test *test = *state;
    int fd = pidfile_fd(test->pidfile);

    assert_int_equal(unlink(test->path), 0);
    assert_int_equal(rmdir(test->folder), 0);
    assert_int_equal(pidfile_check(test->pidfile), -ENOENT);
    assert_int_equal(pidfile_check(test->pidfile), -ENOENT);
    assert_int_equal(pidfile_fd(test->pidfile), fd);
    assert_int_equal(mkdir(test->folder, 0700), 0);
    assert_int_equal(pidfile_check(test->pidfile), 1);
    assert_made_again(test);
}

/* The file was moved away, another master made one: ours stays locked until it gives way. */
static void waits_for_another_master(void **state)
{
    struct test *test = *state;
    char moved[PATH_MAX + 8];
    int other;

    snprintf(moved, sizeof(moved), "%s.old", test->path);
    assert_int_equal(rename(test->path, moved), 0);
    other = lock(test->path);
    assert_true(other >= 0);
    write_file(test->path, "7\n");
    assert_int_equal(pidfile_check(test->pidfile), -EWOULDBLOCK);
    assert_true(same_file(pidfile_fd(test->pidfile), moved));
    assert_int_equal(lock(moved), -EWOULDBLOCK);
    assert_false(has_our_pid(test->path));

    close(other);
    assert_int_equal(pidfile_check(test->pidfile), 1);
    assert_made_again(test);
    other = lock(moved);
    assert_true(other >= 0);
    close(other);
    assert_int_equal(unlink(moved), 0);
}

/* What another master made in our place is not ours to remove. */
static void leaves_the_file_of_another(void **state)
{
    struct test *test = *state;

    assert_int_equal(unlink(test->path), 0);
    write_file(test->path, "7\n");
    pidfile_close(test->pidfile);
    test->pidfile = NULL;
    assert_int_equal(unlink(test->path), 0);
}

static void follows_no_link(void **state)
{
    struct test *test = *state;
    char target[PATH_MAX + 8];

    snprintf(target, sizeof(target), "%s.target", test->path);
    write_file(target, "precious\n");
    assert_int_equal(unlink(test->path), 0);
    assert_int_equal(symlink(target, test->path), 0);
    assert_int_equal(pidfile_check(test->pidfile), -ELOOP);
    assert_false(has_our_pid(target));
    assert_int_equal(unlink(test->path), 0);
    assert_int_equal(unlink(target), 0);
}

/* As after execve(2): the descriptor and the lock are there, the struct is not. */
static void adopts_a_locked_file(void **state)
{
    struct test *test = *state;
    struct pidfile *adopted = NULL;
    int fd = dup(pidfile_fd(test->pidfile));

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), 0);
    assert_int_equal(pidfile_adopt(test->path, fd, &adopted), 0);
    assert_int_equal(pidfile_fd(adopted), fd);
    assert_string_equal(pidfile_path(adopted), test->path);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(lock(test->path), -EWOULDBLOCK);
    assert_int_equal(pidfile_check(adopted), 0);
    assert_int_equal(unlink(test->path), 0);
    assert_int_equal(pidfile_check(adopted), 1);
    pidfile_close(adopted);
    assert_int_equal(access(test->path, F_OK), -1);
}

static void adopts_nothing_else(void **state)
{
    struct test *test = *state;
    struct pidfile *adopted = NULL;
    int fd = open(test->path, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pidfile_adopt(test->path, fd, &adopted), -EWOULDBLOCK);
    assert_int_equal(close(fd), 0);
    assert_int_equal(pidfile_adopt(test->path, fd, &adopted), -EBADF);
    assert_int_equal(pidfile_adopt(test->path, -1, &adopted), -EBADF);
    assert_null(adopted);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(holds_the_lock),           CASE(takes_what_a_dead_master_left),
        CASE(leaves_a_good_file_alone), CASE(makes_a_deleted_file_again),
        CASE(takes_a_replaced_file),    CASE(waits_for_the_folder),
        CASE(waits_for_another_master), CASE(leaves_the_file_of_another),
        CASE(follows_no_link),          CASE(adopts_a_locked_file),
        CASE(adopts_nothing_else),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
