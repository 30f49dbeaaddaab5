/*
 * Quotas and OOM kills from the control groups of this process.
 *
 * Every hierarchy is asked, since in hybrid mode either may have a controller:
 * a file that is not there says nothing, and each controller is in one
 * hierarchy only.
 */
#include "config.h"

#include "base/number.h"
#include "host/cgroup.h"
#include "host/cgroup_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mountinfo has a line per mount; a machine full of containers reaches a megabyte: 4 MiB. */
#define PROC_TEXT_MAX  4194304U
#define GROUP_TEXT_MAX 4096U

/* A quota above this is 20,000 CPUs in the usual 100 ms: no limit. Fits a long of 32 bits. */
#define MICROSECONDS_MAX 2000000000L

/* Where this process is, as /proc tells it. */
struct proc_texts {
    char *cgroups;
    char *mounts;
};

/* A hierarchy and how a value is read from a folder of it. */
struct source {
    const char *controller; /* NULL: v2 */
    int64_t (*read)(const char *root, const char *folder);
};

/* The length of the text up to and with its last newline. */
static size_t whole_lines(const char *text, size_t len)
{
    const char *newline = memrchr(text, '\n', len);

    return newline ? (size_t)(newline - text) + 1 : 0;
}

/*
 * The file's content, or the whole lines in its first `max` bytes; NULL when it
 * cannot be read. The caller frees it.
 */
static char *read_text(const char *root, const char *folder, const char *name, size_t max)
{
    char path[PATH_MAX];
    char *text = NULL;
    FILE *file = NULL;
    size_t len;

    if (snprintf(path, sizeof(path), "%s%s/%s", root, folder, name) >= (int)sizeof(path))
        return NULL;
    file = fopen(path, "re");
    text = file ? malloc(max + 1) : NULL;
    if (!text)
        goto out;
    len = fread(text, 1, max, file);
    if (ferror(file)) {
        free(text);
        text = NULL;
        goto out;
    }
    text[len == max ? whole_lines(text, len) : len] = '\0';
out:
    if (file)
        fclose(file);
    return text;
}

/* quota / period in thousandths, rounded up; 0 for "max", -1 and everything else that is no limit.
 */
static int64_t quota_milli(const char *quota_text, const char *period_text)
{
    long quota;
    long period;

    if (!quota_text || number_parse(quota_text, 1, MICROSECONDS_MAX, &quota) < 0)
        return 0;
    if (!period_text || number_parse(period_text, 1, MICROSECONDS_MAX, &period) < 0)
        return 0;
    return ((int64_t)quota * 1000 + period - 1) / period;
}

static int64_t read_quota_v2(const char *root, const char *folder)
{
    char *text = read_text(root, folder, "cpu.max", GROUP_TEXT_MAX);
    char *save = NULL;
    char *quota = text ? strtok_r(text, " \n", &save) : NULL;
    char *period = quota ? strtok_r(NULL, " \n", &save) : NULL;
    int64_t milli = quota_milli(quota, period);

    free(text);
    return milli;
}

static int64_t read_quota_v1(const char *root, const char *folder)
{
    char *quota = read_text(root, folder, "cpu.cfs_quota_us", GROUP_TEXT_MAX);
    char *period = read_text(root, folder, "cpu.cfs_period_us", GROUP_TEXT_MAX);
    int64_t milli;

    if (quota)
        quota[strcspn(quota, "\n")] = '\0';
    if (period)
        period[strcspn(period, "\n")] = '\0';
    milli = quota_milli(quota, period);
    free(quota);
    free(period);
    return milli;
}

/* The number behind "oom_kill" in a file of "key number" lines, or -1. */
static int64_t read_oom_kill(const char *root, const char *folder, const char *name)
{
    static const char key[] = "oom_kill ";
    char *text = read_text(root, folder, name, GROUP_TEXT_MAX);
    char *save = NULL;
    char *line = text ? strtok_r(text, "\n", &save) : NULL;
    long count = -1;
    int r = -1;

    while (line && strncmp(line, key, strlen(key)) != 0)
        line = strtok_r(NULL, "\n", &save);
    if (line)
        r = number_parse(line + strlen(key), 0, LONG_MAX, &count);
    free(text);
    return r < 0 ? -1 : count;
}

static int64_t read_oom_kill_v2(const char *root, const char *folder)
{
    return read_oom_kill(root, folder, "memory.events");
}

static int64_t read_oom_kill_v1(const char *root, const char *folder)
{
    return read_oom_kill(root, folder, "memory.oom_control");
}

static bool proc_texts_read(const char *root, struct proc_texts *ret_texts)
{
    ret_texts->cgroups = read_text(root, "/proc/self", "cgroup", PROC_TEXT_MAX);
    ret_texts->mounts = read_text(root, "/proc/self", "mountinfo", PROC_TEXT_MAX);
    return ret_texts->cgroups && ret_texts->mounts;
}

static void proc_texts_clear(struct proc_texts *texts)
{
    free(texts->cgroups);
    free(texts->mounts);
}

/* The smallest quota in one hierarchy, over all its mounts and up to each mount point; 0: none. */
static int64_t smallest_quota(const char *root, const struct proc_texts *texts,
                              const struct source *source)
{
    char path[PATH_MAX];
    struct cgroup_folder folder;
    const char *cursor = texts->mounts;
    int64_t smallest = 0;

    if (cgroup_path_of_process(texts->cgroups, source->controller, path) < 0)
        return 0;
    while (cgroup_path_next_mount(&cursor, source->controller, path, &folder)) {
        do {
            int64_t milli = source->read(root, folder.path);

            if (milli > 0 && (smallest == 0 || milli < smallest))
                smallest = milli;
        } while (cgroup_folder_up(&folder));
    }
    return smallest;
}

/*
 * The count of the nearest cgroup that has one, -1 if none has: without a
 * memory controller of its own (v2), a cgroup is counted in an ancestor.
 */
static int64_t nearest_oom_kills(const char *root, const struct proc_texts *texts,
                                 const struct source *source)
{
    char path[PATH_MAX];
    struct cgroup_folder folder;
    const char *cursor = texts->mounts;

    if (cgroup_path_of_process(texts->cgroups, source->controller, path) < 0)
        return -1;
    while (cgroup_path_next_mount(&cursor, source->controller, path, &folder)) {
        do {
            int64_t kills = source->read(root, folder.path);

            if (kills >= 0)
                return kills;
        } while (cgroup_folder_up(&folder));
    }
    return -1;
}

int64_t cgroup_cpu_quota_milli(const char *root)
{
    static const struct source v2 = {NULL, read_quota_v2};
    static const struct source v1 = {"cpu", read_quota_v1};
    struct proc_texts texts;
    int64_t milli = 0;
    int64_t milli_v1;

    if (!proc_texts_read(root, &texts))
        goto out;
    milli = smallest_quota(root, &texts, &v2);
    milli_v1 = smallest_quota(root, &texts, &v1);
    if (milli == 0 || (milli_v1 > 0 && milli_v1 < milli))
        milli = milli_v1;
out:
    proc_texts_clear(&texts);
    return milli;
}

int64_t cgroup_oom_kills(const char *root)
{
    static const struct source v2 = {NULL, read_oom_kill_v2};
    static const struct source v1 = {"memory", read_oom_kill_v1};
    struct proc_texts texts;
    int64_t kills = -1;

    if (!proc_texts_read(root, &texts))
        goto out;
    kills = nearest_oom_kills(root, &texts, &v2);
    if (kills < 0)
        kills = nearest_oom_kills(root, &texts, &v1);
out:
    proc_texts_clear(&texts);
    return kills;
}
