/*
 * How many CPUs the scheduler lets this process run on.
 */
#ifndef ZOMBIE_HOST_CPU_AFFINITY_H
#define ZOMBIE_HOST_CPU_AFFINITY_H

/*
 * CPUs in the affinity mask of the calling thread (sched_getaffinity(2)), which
 * cpusets narrow as well; on machines of any size. 1 when the mask cannot be
 * had, so never less than 1.
 */
long cpu_affinity_count(void);

#endif
