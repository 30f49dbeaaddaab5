/*
 * Where this process's cgroups lie in the file system: /proc/self/cgroup and
 * /proc/self/mountinfo brought together (cgroups(7), proc_pid_mountinfo(5)).
 * Pure functions on the text of the two files; no content of theirs is trusted.
 */
#ifndef ZOMBIE_HOST_CGROUP_PATH_H
#define ZOMBIE_HOST_CGROUP_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A cgroup's folder: the mount point, and behind mount_len bytes the way down to the cgroup. */
struct cgroup_folder {
    size_t mount_len;
    char path[PATH_MAX];
};

/*
 * Find the cgroup of this process in the text of /proc/self/cgroup, for a v1
 * controller ("cpu", "memory"; any of several in its line) or, when controller
 * is NULL, in the v2 hierarchy. Returns 0 and sets ret_path, -ENOENT when the
 * process is in no such hierarchy, or -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int
cgroup_path_of_process(const char *cgroups, const char *controller, char ret_path[PATH_MAX]);

/*
 * Go through the text of mountinfo for mounts of that hierarchy through which
 * the cgroup `path`, or at least an ancestor of it, can be seen. Start with
 * *cursor at the text's first byte; each call that returns true sets
 * *ret_folder and moves *cursor on. A hierarchy may be mounted several times,
 * each mount showing another part. No mount is reported when the process sits
 * outside of everything mounted ("/../x", with a cgroup namespace).
 */
bool cgroup_path_next_mount(const char **cursor, const char *controller, const char *path,
                            struct cgroup_folder *ret_folder);

/* Go to the parent folder; false, and no change, at the mount point. */
bool cgroup_folder_up(struct cgroup_folder *folder);

#endif
