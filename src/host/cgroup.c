/*
 * Quotas from the control groups of this process.
 *
 * Every hierarchy is asked, since in hybrid mode either may have a controller:
 * a file that is not there says nothing, and each controller is in one
 * hierarchy only.
 */
#include "config.h"

#include "base/number.h"
#include "host/cgroup.h"
#include "host/cgroup_walk.h"

#include <stdlib.h>
#include <string.h>

/* A quota above this is 20,000 CPUs in the usual 100 ms: no limit. Fits a long of 32 bits. */
#define MICROSECONDS_MAX 2000000000L

/* A hierarchy and how a value is read from a folder of it. */
struct source {
    const char *controller; /* NULL: v2 */
    int64_t (*read)(const char *root, const char *folder);
};

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
    char *text = cgroup_read_text(root, folder, "cpu.max", CGROUP_TEXT_MAX);
    char *save = NULL;
    char *quota = text ? strtok_r(text, " \n", &save) : NULL;
    char *period = quota ? strtok_r(NULL, " \n", &save) : NULL;
    int64_t milli = quota_milli(quota, period);

    free(text);
    return milli;
}

static int64_t read_quota_v1(const char *root, const char *folder)
{
    char *quota = cgroup_read_text(root, folder, "cpu.cfs_quota_us", CGROUP_TEXT_MAX);
    char *period = cgroup_read_text(root, folder, "cpu.cfs_period_us", CGROUP_TEXT_MAX);
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

/* The smallest quota in one hierarchy, over all its mounts and up to each mount point; 0: none. */
static int64_t smallest_quota(const char *root, const struct cgroup_texts *texts,
                              const struct source *source)
{
    struct cgroup_walk walk;
    int64_t smallest = 0;

    cgroup_walk_begin(&walk, texts, source->controller);
    while (cgroup_walk_next(&walk)) {
        int64_t milli = source->read(root, walk.folder.path);

        if (milli > 0 && (smallest == 0 || milli < smallest))
            smallest = milli;
    }
    return smallest;
}

int64_t cgroup_cpu_quota_milli(const char *root)
{
    static const struct source v2 = {NULL, read_quota_v2};
    static const struct source v1 = {"cpu", read_quota_v1};
    struct cgroup_texts texts;
    int64_t milli = 0;
    int64_t milli_v1;

    if (!cgroup_texts_read(root, &texts))
        goto out;
    milli = smallest_quota(root, &texts, &v2);
    milli_v1 = smallest_quota(root, &texts, &v1);
    if (milli == 0 || (milli_v1 > 0 && milli_v1 < milli))
        milli = milli_v1;
out:
    cgroup_texts_clear(&texts);
    return milli;
}
