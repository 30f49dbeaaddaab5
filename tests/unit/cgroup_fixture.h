/*
 * Trees of files that look like /proc/self and /sys/fs/cgroup.
 */
#ifndef ZOMBIE_TESTS_CGROUP_FIXTURE_H
#define ZOMBIE_TESTS_CGROUP_FIXTURE_H

#include <limits.h>
#include <stddef.h>

#define V2      "/sys/fs/cgroup"
#define CPU     "/sys/fs/cgroup/cpu,cpuacct"
#define MEMORY  "/sys/fs/cgroup/memory"
#define UNIFIED "/sys/fs/cgroup/unified"

struct fixture_file {
    const char *path;
    const char *content; /* NULL: a folder of that name */
};

struct fixture {
    const char *cgroups; /* of /proc/self/cgroup; NULL: no such file */
    const char *mounts;  /* of /proc/self/mountinfo, likewise */
    const struct fixture_file *files;
    size_t n_files; /* at most; the first without a path is the end */
};

/* Write one file below root, or write it anew. */
void fixture_write(const char *root, const char *path, const char *content);

/* Make the tree in a new folder, its name in root. */
void fixture_make(const struct fixture *fixture, char root[PATH_MAX]);

void fixture_remove(const char *root);

#endif
