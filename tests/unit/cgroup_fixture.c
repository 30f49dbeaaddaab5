#include "config.h"

#include "cgroup_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            fail_msg("mkdir %s: %s", path, strerror(errno));
        *slash = '/';
    }
}

void fixture_write(const char *root, const char *name, const char *content)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s%s%s", root, name, content ? "" : "/");
    make_folders(path);
    if (!content)
        return;
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void fixture_make(const struct fixture *fixture, char root[PATH_MAX])
{
    const char *folder = getenv("TMPDIR");

    snprintf(root, PATH_MAX, "%s/zombie-cgroup-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(root));
    if (fixture->cgroups)
        fixture_write(root, "/proc/self/cgroup", fixture->cgroups);
    if (fixture->mounts)
        fixture_write(root, "/proc/self/mountinfo", fixture->mounts);
    for (size_t i = 0; i < fixture->n_files && fixture->files[i].path; i++)
        fixture_write(root, fixture->files[i].path, fixture->files[i].content);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void fixture_remove(const char *root)
{
    assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
