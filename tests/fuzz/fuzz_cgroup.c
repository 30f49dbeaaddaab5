/*
 * Fuzz target: the text of /proc/self/cgroup, an empty line, the text of
 * mountinfo, through the search for this process's folders. Beyond what the
 * sanitizers see, no folder may leave its mount point.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/cgroup_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Whether the folder stays below its mount point, which may itself contain "..". */
static int stays_below(const struct cgroup_folder *folder)
{
    const char *below = folder->path + folder->mount_len;
    size_t len = strlen(below);

    return (len == 0 || below[0] == '/') && !strstr(below, "/../") &&
           (len < 3 || strcmp(below + len - 3, "/..") != 0);
}

static void walk(const char *cgroups, const char *mounts, const char *controller)
{
    char path[PATH_MAX];
    struct cgroup_folder folder;
    const char *cursor = mounts;

    if (cgroup_path_of_process(cgroups, controller, path) < 0)
        return;
    check(path[0] == '/' && strlen(path) < sizeof(path));
    while (cgroup_path_next_mount(&cursor, controller, path, &folder)) {
        check(strlen(folder.path) < sizeof(folder.path));
        check(folder.mount_len <= strlen(folder.path));
        do
            check(stays_below(&folder));
        while (cgroup_folder_up(&folder));
        check(folder.path[folder.mount_len] == '\0');
    }
    check(cursor == mounts + strlen(mounts));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const controllers[] = {NULL, "cpu", "memory"};
    char *cgroups = malloc(size + 1);
    char *mounts = NULL;
    char *split;

    if (!cgroups)
        return 0;
    if (size > 0)
        memcpy(cgroups, data, size);
    cgroups[size] = '\0';
    split = strstr(cgroups, "\n\n");
    /* A block of its own, so that a read beyond the end of either text is seen. */
    mounts = strdup(split ? split + 2 : "");
    if (split)
        split[1] = '\0';
    for (size_t i = 0; mounts && i < sizeof(controllers) / sizeof(controllers[0]); i++)
        walk(cgroups, mounts, controllers[i]);
    free(mounts);
    free(cgroups);
    return 0;
}
