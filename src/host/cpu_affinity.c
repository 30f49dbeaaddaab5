/*
 * The affinity mask, however wide the kernel's is.
 */
#include "config.h"

#include "host/cpu_affinity.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>

/* Far beyond any kernel's NR_CPUS; ends the search where EINVAL means something else. */
#define CPUS_MAX (1 << 20)

struct mask {
    cpu_set_t *set; /* for CPU_FREE() */
    size_t size;    /* bytes */
};

/* The mask, in one with room for `cpus`; -EINVAL when the kernel's is wider. */
static int read_mask_of(int cpus, struct mask *ret_mask)
{
    struct mask mask = {CPU_ALLOC((size_t)cpus), CPU_ALLOC_SIZE((size_t)cpus)};

    if (!mask.set)
        return -ENOMEM;
    if (sched_getaffinity(0, mask.size, mask.set) < 0) {
        int err = -errno;

        CPU_FREE(mask.set);
        return err;
    }
    *ret_mask = mask;
    return 0;
}

static int read_mask(struct mask *ret_mask)
{
    int err = -EINVAL;

    for (int cpus = CPU_SETSIZE; err == -EINVAL && cpus <= CPUS_MAX; cpus *= 2)
        err = read_mask_of(cpus, ret_mask);
    return err;
}

/* Take all CPUs out but the one that has `before` others before it. */
static void keep_one(struct mask *mask, unsigned before)
{
    unsigned seen = 0;

    for (size_t cpu = 0; cpu < mask->size * 8; cpu++) {
        if (CPU_ISSET_S(cpu, mask->size, mask->set) && seen++ != before)
            CPU_CLR_S(cpu, mask->size, mask->set);
    }
}

long cpu_affinity_count(void)
{
    struct mask mask = {NULL, 0};
    int count;

    if (read_mask(&mask) < 0)
        return 1;
    count = CPU_COUNT_S(mask.size, mask.set);
    CPU_FREE(mask.set);
    return count > 0 ? count : 1;
}

int cpu_affinity_pin(unsigned number)
{
    struct mask mask = {NULL, 0};
    int count;
    int err = number > 0 ? read_mask(&mask) : -EINVAL;

    if (err < 0)
        return err;
    count = CPU_COUNT_S(mask.size, mask.set);
    if (count > 0)
        keep_one(&mask, (number - 1) % (unsigned)count);
    /* An empty mask is the kernel's to refuse. */
    err = sched_setaffinity(0, mask.size, mask.set) < 0 ? -errno : 0;
    CPU_FREE(mask.set);
    return err;
}
