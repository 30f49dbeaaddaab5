/*
 * How many workers: the CPUs this process may use, divided by the containers
 * that share the machine. Pure arithmetic over facts that cpu_affinity.h and
 * cgroup.h collect, so that every kind of machine can be tested from a table.
 */
#ifndef ZOMBIE_HOST_CPU_COUNT_H
#define ZOMBIE_HOST_CPU_COUNT_H

#include <stddef.h>
#include <stdint.h>

struct cpu_facts {
    long affinity;       /* CPUs in the affinity mask, >= 1 */
    int64_t quota_milli; /* smallest cgroup quota in thousandths of a CPU; 0: no quota */
};

/* Room for cpu_count_describe(), whatever the numbers. */
#define CPU_COUNT_TEXT_SIZE 256

/*
 * max(1, (min(affinity, quota rounded up) - reserved) / containers), whole
 * part. containers >= 1, reserved >= 0; at least one CPU is left to divide.
 */
long cpu_count_workers(const struct cpu_facts *facts, long reserved, long containers);

/*
 * The same sum in words, for the log: "cpus 4 (affinity 8, quota 3.5 rounded
 * up) / containers 2 = 2 workers". What plays no part (no quota, nothing
 * reserved, one container) is left out; where the sum comes to less than one
 * it ends in "= 1 worker, the minimum".
 */
void cpu_count_describe(const struct cpu_facts *facts, long reserved, long containers,
                        char buf[CPU_COUNT_TEXT_SIZE]);

#endif
