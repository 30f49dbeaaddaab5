/*
 * The memory that a process holds.
 */
#ifndef ZOMBIE_HOST_MEMORY_H
#define ZOMBIE_HOST_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Resident bytes of a process, shared pages included: /proc/PID/statm
 * (proc_pid_statm(5)), which anybody may read and which costs the kernel
 * nothing to make. smaps_rollup would tell shared pages apart, but needs
 * ptrace rights over a worker that changed its user. 0 for a process that has
 * ended and is not reaped yet, -1 for one that is gone.
 */
int64_t memory_resident_bytes(pid_t pid);

#endif
