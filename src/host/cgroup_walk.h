/*
 * Files of control groups: read them, and go through the folders of this
 * process's cgroup and of its ancestors. `root` is "" or a fixture tree, as in
 * host/cgroup.h.
 */
#ifndef ZOMBIE_HOST_CGROUP_WALK_H
#define ZOMBIE_HOST_CGROUP_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/cgroup_path.h"

/* Bytes that are looked at of a file of a cgroup: such a file has a few hundred. */
#define CGROUP_TEXT_MAX 4096U

/* Where this process is, as /proc tells it. */
struct cgroup_texts {
    char *cgroups;
    char *mounts;
};

/*
 * Read /proc/self/cgroup and /proc/self/mountinfo; false when one cannot be
 * read. To be cleared in either case.
 */
__attribute__((warn_unused_result)) bool cgroup_texts_read(const char *root,
                                                           struct cgroup_texts *ret_texts);
void cgroup_texts_clear(struct cgroup_texts *texts);

/* A walk through one hierarchy, over all its mounts and up to each mount point. */
struct cgroup_walk {
    const char *controller; /* of v1; NULL: v2 */
    const char *cursor;     /* NULL: the process is in no such hierarchy */
    bool in_mount;
    char process[PATH_MAX];      /* the process's cgroup */
    struct cgroup_folder folder; /* where the walk is */
};

/*
 * Begin a walk. The texts must outlive it. Each cgroup_walk_next() that
 * returns true has set walk->folder: the process's own cgroup first, then its
 * parent.
 */
void cgroup_walk_begin(struct cgroup_walk *walk, const struct cgroup_texts *texts,
                       const char *controller);
bool cgroup_walk_next(struct cgroup_walk *walk);

/*
 * The file's content, or the whole lines in its first `max` bytes; NULL when it
 * cannot be read. The caller frees it.
 */
__attribute__((warn_unused_result)) char *cgroup_read_text(const char *root, const char *folder,
                                                           const char *name, size_t max);

/* Open the file for reading: a descriptor with FD_CLOEXEC, or -errno. */
__attribute__((warn_unused_result)) int cgroup_open(const char *root, const char *folder,
                                                    const char *name);

/* Bytes up to and with the last newline of the first len bytes of text. */
size_t cgroup_whole_lines(const char *text, size_t len);

#endif
