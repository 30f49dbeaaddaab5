/*
 * Which CPUs the scheduler lets this process run on.
 */
#ifndef ZOMBIE_HOST_CPU_AFFINITY_H
#define ZOMBIE_HOST_CPU_AFFINITY_H

/*
 * CPUs in the affinity mask of the calling thread (sched_getaffinity(2)), which
 * cpusets narrow as well; on machines of any size. 1 when the mask cannot be
 * had, so never less than 1.
 */
long cpu_affinity_count(void);

/*
 * Pin the calling thread (sched_setaffinity(2)) to one CPU of its present mask:
 * the first for number 1, and from the start again behind the last. Returns 0
 * or -errno; -EINVAL for number 0.
 */
__attribute__((warn_unused_result)) int cpu_affinity_pin(unsigned number);

#endif
