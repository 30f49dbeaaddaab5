/*
 * Counters of this process's control groups that are read again and again:
 * where they are is looked up once. Version 1, version 2 and the hybrid of both
 * (cgroups(7)). Only differences of a counter mean anything.
 */
#ifndef ZOMBIE_HOST_CGROUP_METER_H
#define ZOMBIE_HOST_CGROUP_METER_H

#include <stdint.h>

struct cgroup_meter;

/*
 * Find the counters and keep a descriptor (FD_CLOEXEC) on each; `root` as in
 * host/cgroup.h. A machine without cgroups has none, which is no error. The
 * files are those of the cgroup that the process is in now: one that is moved
 * needs a new meter. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int cgroup_meter_new(const char *root,
                                                         struct cgroup_meter **ret_meter);

/* NULL is fine. */
void cgroup_meter_free(struct cgroup_meter *meter);

/*
 * Processes killed for want of memory so far, in the nearest cgroup that counts
 * them: v2 memory.events, v1 memory.oom_control, "oom_kill" in both. -1 when
 * there is none, it cannot be read, or meter is NULL.
 */
int64_t cgroup_meter_oom_kills(const struct cgroup_meter *meter);

/*
 * Microseconds that the CPU quota held up the nearest cgroup that counts them,
 * added up over its CPUs: cpu.stat, v2 "throttled_usec", v1 "throttled_time".
 * The kernel counts in the cgroup that has the quota, so what an ancestor's
 * quota costs is not in it where the process's own cgroup counts too. -1 as
 * above.
 */
int64_t cgroup_meter_throttled_us(const struct cgroup_meter *meter);

#endif
