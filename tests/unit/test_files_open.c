/*
 * Opening below a root that is a real folder: by openat2(2), and by walking as
 * where that is forbidden.
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
#include <unistd.h>

#include <cmocka.h>

#include "http/handlers/files_open.h"
#include "http/handlers/files_variant.h"

static char top[] = "/tmp/test_files_open.XXXXXX";

static void put(const char *name, const char *content)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top), 0);
    put("secret", "secret");
    assert_int_equal(mkdir("root", 0755) | mkdir("root/dir", 0755) | mkdir("root/a.br", 0755), 0);
    put("root/a", "a");
    put("root/a.gz", "zipped");
    put("root/dir/b", "bb");
    assert_int_equal(mkfifo("root/fifo", 0644), 0);
    assert_int_equal(symlink("a", "root/in"), 0);
    assert_int_equal(symlink("dir", "root/in-dir"), 0);
    assert_int_equal(symlink("../dir/../a", "root/dir/in-up"), 0);
    assert_int_equal(symlink("in", "root/chain"), 0);
    assert_int_equal(symlink("../secret", "root/out"), 0);
    assert_int_equal(symlink("..", "root/out-dir"), 0);
    assert_int_equal(symlink("out", "root/chain-out"), 0);
    assert_int_equal(symlink("/etc/passwd", "root/absolute"), 0);
    assert_int_equal(symlink("/proc/self/root", "root/magic"), 0);
    assert_int_equal(symlink("loop", "root/loop"), 0);
    assert_int_equal(symlink("none", "root/broken"), 0);
    return 0;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    return chdir("/") != 0 || system(command) != 0;
}

static struct files_root open_root(enum files_symlinks symlinks, bool walks)
{
    static char path[64];
    struct files_root root;

    (void)snprintf(path, sizeof(path), "%s/root", top);
    files_root_open(&root, path, symlinks, 0);
    assert_true(root.fd >= 0);
    root.walks = root.walks || walks;
    return root;
}

struct row {
    const char *path;
    enum files_kind kind;
    int beneath; /* -errno, or the type of what is opened */
    int none;
    int walking;
};

static int open_type(const struct files_root *root, const struct row *row)
{
    struct stat found;
    int fd = files_open(root, row->path, row->kind, &found);

    if (fd < 0)
        return fd;
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    return (int)(found.st_mode & S_IFMT);
}

static void check(const struct files_root *root, const struct row *row, int expected,
                  const char *how)
{
    int type = open_type(root, row);

    if (type != expected)
        fail_msg("'%s' %s: %d, not %d", row->path, how, type, expected);
}

static void opens_only_what_is_below(void **state)
{
    static const struct row rows[] = {
        {"a", FILES_READ, S_IFREG, S_IFREG, S_IFREG},
        {"dir/b", FILES_READ, S_IFREG, S_IFREG, S_IFREG},
        {"", FILES_READ, S_IFDIR, S_IFDIR, S_IFDIR},
        {"", FILES_FOLDER, S_IFDIR, S_IFDIR, S_IFDIR},
        {"dir", FILES_READ, S_IFDIR, S_IFDIR, S_IFDIR},
        {"dir/", FILES_FOLDER, S_IFDIR, S_IFDIR, S_IFDIR},
        {"dir/", FILES_READ, S_IFDIR, S_IFDIR, S_IFDIR},
        {"a", FILES_FOLDER, -ENOTDIR, -ENOTDIR, -ENOTDIR},
        {"a/", FILES_READ, -ENOTDIR, -ENOTDIR, -ENOTDIR},
        {"a/b", FILES_READ, -ENOTDIR, -ENOTDIR, -ENOTDIR},
        {"none", FILES_READ, -ENOENT, -ENOENT, -ENOENT},
        {"dir/none", FILES_READ, -ENOENT, -ENOENT, -ENOENT},
        {"none/a", FILES_READ, -ENOENT, -ENOENT, -ENOENT},
        {"fifo", FILES_READ, S_IFIFO, S_IFIFO, S_IFIFO},
        {"in", FILES_READ, S_IFREG, -ELOOP, -ELOOP},
        {"in", FILES_LOOK, S_IFREG, -ELOOP, -ELOOP},
        {"in-dir/b", FILES_READ, S_IFREG, -ELOOP, -ENOTDIR},
        {"dir/in-up", FILES_READ, S_IFREG, -ELOOP, -ELOOP},
        {"chain", FILES_READ, S_IFREG, -ELOOP, -ELOOP},
        {"out", FILES_READ, -EXDEV, -ELOOP, -ELOOP},
        {"out", FILES_LOOK, -EXDEV, -ELOOP, -ELOOP},
        {"out-dir/secret", FILES_READ, -EXDEV, -ELOOP, -ENOTDIR},
        {"out-dir/root/a", FILES_READ, -EXDEV, -ELOOP, -ENOTDIR},
        {"chain-out", FILES_READ, -EXDEV, -ELOOP, -ELOOP},
        {"absolute", FILES_READ, -EXDEV, -ELOOP, -ELOOP},
        {"magic/etc/passwd", FILES_READ, -EXDEV, -ELOOP, -ENOTDIR},
        {"loop", FILES_READ, -ELOOP, -ELOOP, -ELOOP},
        {"broken", FILES_READ, -ENOENT, -ELOOP, -ELOOP},
    };
    struct files_root beneath = open_root(FILES_SYMLINKS_BENEATH, false);
    struct files_root none = open_root(FILES_SYMLINKS_NONE, false);
    struct files_root walking = open_root(FILES_SYMLINKS_BENEATH, true);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!beneath.walks) {
            check(&beneath, &rows[i], rows[i].beneath, "beneath");
            check(&none, &rows[i], rows[i].none, "without links");
        }
        check(&walking, &rows[i], rows[i].walking, "walking");
    }
    files_root_close(&beneath);
    files_root_close(&none);
    files_root_close(&walking);
}

static void names_may_be_too_long(void **state)
{
    static char segment[300], path[6000];
    struct files_root root = open_root(FILES_SYMLINKS_BENEATH, false);
    struct files_root walking = open_root(FILES_SYMLINKS_BENEATH, true);
    struct stat found;

    (void)state;
    memset(segment, 'x', sizeof(segment) - 1);
    memset(path, 'x', sizeof(path) - 1);
    for (size_t i = 100; i < sizeof(path) - 1; i += 100)
        path[i] = '/';
    assert_int_equal(files_open(&root, segment, FILES_READ, &found), -ENAMETOOLONG);
    assert_int_equal(files_open(&walking, segment, FILES_READ, &found), -ENAMETOOLONG);
    assert_int_equal(files_open(&root, path, FILES_READ, &found), -ENAMETOOLONG);
    files_root_close(&root);
    files_root_close(&walking);
}

static void walking_leaks_no_descriptor(void **state)
{
    struct files_root root = open_root(FILES_SYMLINKS_BENEATH, true);
    static const char *const paths[] = {"dir/b", "dir/none", "dir/", "a/b", "dir/in-up"};
    struct stat found;
    int before = dup(root.fd);

    (void)state;
    close(before);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        int fd = files_open(&root, paths[i], FILES_READ, &found);

        if (fd >= 0)
            close(fd);
    }
    int after = dup(root.fd);
    close(after);
    assert_int_equal(after, before);
    files_root_close(&root);
}

/* What has moved is looked for once a second, and not earlier. */
static void follows_a_root_that_moves(void **state)
{
    struct files_root root = open_root(FILES_SYMLINKS_BENEATH, false);
    struct stat found;
    int fd;

    (void)state;
    assert_int_equal(rename("root", "old"), 0);
    files_root_refresh(&root, 999);
    fd = files_open(&root, "a", FILES_READ, &found);
    assert_true(fd >= 0);
    close(fd);
    files_root_refresh(&root, 1000);
    assert_int_equal(files_open(&root, "a", FILES_READ, &found), -ENOENT);
    assert_int_equal(files_error_status(root.error, 0), 404);

    assert_int_equal(mkdir("root", 0755), 0);
    put("root/new", "n");
    files_root_refresh(&root, 1999);
    assert_int_equal(files_open(&root, "new", FILES_READ, &found), -ENOENT);
    files_root_refresh(&root, 2000);
    fd = files_open(&root, "new", FILES_READ, &found);
    assert_true(fd >= 0);
    close(fd);

    assert_int_equal(unlink("root/new") | rmdir("root") | rename("old", "root"), 0);
    files_root_refresh(&root, 3000);
    fd = files_open(&root, "a", FILES_READ, &found);
    assert_true(fd >= 0);
    close(fd);
    files_root_close(&root);
    files_root_close(&root);
}

static void maps_errors_to_statuses(void **state)
{
    static const struct {
        int error;
        int status;
    } rows[] = {
        {ENOENT, 404}, {ENOTDIR, 404}, {ELOOP, 404},  {EXDEV, 404}, {ENAMETOOLONG, 404},
        {ENXIO, 404},  {ENODEV, 404},  {EACCES, 403}, {EPERM, 403}, {EMFILE, 503},
        {ENFILE, 503}, {ENOMEM, 503},  {EAGAIN, 503}, {EIO, 500},   {ESTALE, 500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(files_error_status(-rows[i].error, 0), rows[i].status);
}

static void chooses_a_compressed_form(void **state)
{
    static const struct {
        const char *path;
        const char *accept;
        const char *coding; /* NULL: the file itself */
    } rows[] = {
        {"a", "gzip", "gzip"},
        {"a", "br, gzip", "gzip"}, /* a.br is a folder */
        {"a", "br", NULL},
        {"a", "gzip;q=0", NULL},
        {"a", "*", "gzip"},
        {"a", "identity, gzip;q=0.5", NULL},
        {"a", "identity;q=0, gzip;q=0.1", "gzip"},
        {"a", "", NULL},
        {"a", NULL, NULL},
        {"dir/b", "br, gzip", NULL},
    };
    struct files_root root = open_root(FILES_SYMLINKS_BENEATH, false);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stat found = {.st_size = -1};
        const char *coding = NULL;
        int fd = files_variant_open(&root, rows[i].path, rows[i].accept, &found, &coding);

        if ((fd >= 0) != (rows[i].coding != NULL) || (fd < 0 && fd != -ENOENT))
            fail_msg("row %zu: %d", i, fd);
        if (fd < 0)
            continue;
        assert_string_equal(coding, rows[i].coding);
        assert_int_equal(found.st_size, strlen("zipped"));
        close(fd);
    }
    files_root_close(&root);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_only_what_is_below),    cmocka_unit_test(names_may_be_too_long),
        cmocka_unit_test(walking_leaks_no_descriptor), cmocka_unit_test(follows_a_root_that_moves),
        cmocka_unit_test(maps_errors_to_statuses),     cmocka_unit_test(chooses_a_compressed_form),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, setup, teardown);
}
