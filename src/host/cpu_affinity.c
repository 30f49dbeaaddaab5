/*
 * The affinity mask, however wide the kernel's is.
 */
#include "config.h"

#include "host/cpu_affinity.h"

#include <errno.h>
#include <sched.h>

/* Far beyond any kernel's NR_CPUS; ends the search where EINVAL means something else. */
#define CPUS_MAX (1 << 20)

/* CPUs in a mask with room for `cpus`; -EINVAL when the kernel's mask is wider. */
static int count_in_mask(int cpus)
{
    size_t size = CPU_ALLOC_SIZE((size_t)cpus);
    cpu_set_t *set = CPU_ALLOC((size_t)cpus);
    int r;

    if (!set)
        return -ENOMEM;
    r = sched_getaffinity(0, size, set) < 0 ? -errno : CPU_COUNT_S(size, set);
    CPU_FREE(set);
    return r;
}

long cpu_affinity_count(void)
{
    int count = -EINVAL;

    for (int cpus = CPU_SETSIZE; count == -EINVAL && cpus <= CPUS_MAX; cpus *= 2)
        count = count_in_mask(cpus);
    return count > 0 ? count : 1;
}
