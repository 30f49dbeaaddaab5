/*
 * The CPU quota of this process and of every control group above it that it
 * can see. Version 1, version 2 and the hybrid of both (cgroups(7)); `root` is
 * "" in production and the folder of a fixture tree in tests
 * ("root/proc/self/cgroup", "root/sys/fs/cgroup/...").
 */
#ifndef ZOMBIE_HOST_CGROUP_H
#define ZOMBIE_HOST_CGROUP_H

#include <stdint.h>

/*
 * The smallest CPU quota on the way from this process's cgroup to the root of
 * what is mounted, in thousandths of a CPU (rounded up to the next whole
 * thousandth), or 0 when there is no limit or nothing can be read: a machine
 * without cgroups is an ordinary machine. Reads v2 cpu.max and v1
 * cpu.cfs_quota_us / cpu.cfs_period_us; in hybrid mode whichever hierarchy has
 * the cpu controller.
 */
int64_t cgroup_cpu_quota_milli(const char *root);

#endif
