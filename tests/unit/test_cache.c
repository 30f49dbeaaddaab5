/* The file of the cache: what else may stand at its path, and which services are kept in it. */
#include "config.h"

#include <dirent.h>
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

#include "discovery/cache.h"

#define DEADLINE_S 30

static struct {
    struct cache *cache;
    char folder[32];
    char path[48], other[48];
} world;

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.folder, "/tmp/cache-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    snprintf(world.path, sizeof world.path, "%s/cache", world.folder);
    snprintf(world.other, sizeof world.other, "%s/cache.new", world.folder);
    world.cache = cache_new();
    assert_non_null(world.cache);
    alarm(DEADLINE_S); /* who waits for the other end of a FIFO is ended */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    alarm(0);
    cache_free(world.cache);
    unlink(world.path);
    unlink(world.other);
    rmdir(world.folder);
    return 0;
}

static void note(const char *service)
{
    struct member member;
    member_init(&member);
    member.port = 1;
    assert_true(member_set_id(&member, "x", 1) && member_set_host(&member, "h", 1));
    assert_int_equal(cache_set(world.cache, service, &member, 1), 0);
}

static void renew(void)
{
    cache_free(world.cache);
    world.cache = cache_new();
    assert_non_null(world.cache);
}

static size_t ask(const char *service)
{
    static struct member members[MEMBERS_MAX];
    return cache_get(world.cache, service, members);
}

static void make_file(const char *path, off_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static unsigned count_entries(void)
{
    unsigned n = 0;
    DIR *folder = opendir(world.folder);
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n - 2;
}

/* --- Reading ------------------------------------------------------------------------- */

static void nothing_but_files_is_read(void **state)
{
    (void)state;
    assert_int_equal(cache_read(world.cache, world.path), -ENOENT);
    assert_int_equal(mkfifo(world.path, 0600), 0);
    assert_int_equal(cache_read(world.cache, world.path), -EBADMSG);
    assert_int_equal(unlink(world.path), 0);
    assert_int_equal(mkdir(world.path, 0700), 0);
    assert_int_equal(cache_read(world.cache, world.path), -EBADMSG);
    assert_int_equal(rmdir(world.path), 0);
    assert_int_equal(cache_read(world.cache, "/dev/zero"), -EBADMSG);
}

static void large_files_are_not_read(void **state)
{
    (void)state;
    make_file(world.path, CACHE_BYTES_MAX + 1);
    assert_int_equal(cache_read(world.cache, world.path), -EFBIG);
    assert_int_equal(truncate(world.path, CACHE_BYTES_MAX), 0);
    assert_int_equal(cache_read(world.cache, world.path), -EBADMSG);
    assert_int_equal(truncate(world.path, 0), 0);
    assert_int_equal(cache_read(world.cache, world.path), -EBADMSG);
}

static void links_are_followed(void **state)
{
    (void)state;
    note("a");
    assert_int_equal(cache_write(world.cache, world.other), 0);
    assert_int_equal(symlink(world.other, world.path), 0);
    renew();
    assert_int_equal(cache_read(world.cache, world.path), 0);
    assert_int_equal(ask("a"), 1);
}

/* --- Writing ------------------------------------------------------------------------- */

static void writing_takes_a_name_that_is_free(void **state)
{
    struct stat status;
    (void)state;
    note("a");
    assert_int_equal(mkfifo(world.other, 0600), 0);
    assert_int_equal(mkfifo(world.path, 0600), 0);
    assert_int_equal(cache_write(world.cache, world.path), 0);
    assert_int_equal(lstat(world.other, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(lstat(world.path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(count_entries(), 2);
}

static void what_cannot_be_put_in_place_is_removed(void **state)
{
    (void)state;
    note("a");
    assert_int_equal(mkdir(world.path, 0700), 0);
    assert_true(cache_write(world.cache, world.path) < 0);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(rmdir(world.path), 0);
}

static void services_that_nobody_asks_for_are_left_out(void **state)
{
    (void)state;
    note("a");
    note("b");
    note("c");
    assert_int_equal(cache_write(world.cache, world.path), 0);
    renew();
    assert_int_equal(cache_read(world.cache, world.path), 0);
    assert_int_equal(ask("a"), 1);
    assert_int_equal(ask("z"), 0);
    note("d");
    assert_int_equal(cache_write(world.cache, world.path), 0);
    renew();
    assert_int_equal(cache_read(world.cache, world.path), 0);
    assert_int_equal(ask("a"), 1);
    assert_int_equal(ask("b"), 0);
    assert_int_equal(ask("c"), 0);
    assert_int_equal(ask("d"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_but_files_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_files_are_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writing_takes_a_name_that_is_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_put_in_place_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(services_that_nobody_asks_for_are_left_out, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
