/*
 * What a process uses: CPU time and memory, as /proc tells it.
 */
#ifndef ZOMBIE_HOST_PROCESS_USAGE_H
#define ZOMBIE_HOST_PROCESS_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct process_usage {
    int64_t cpu_ms;    /* in user space and in the kernel, without its children */
    int64_t rss_bytes; /* resident, shared pages included; 0 when it has ended */
    int64_t pss_bytes; /* shared pages divided by how many share them; -1: may not be read */
};

/*
 * Read /proc/PID/stat, which anybody may, and /proc/PID/smaps_rollup, which takes
 * ptrace rights and makes the kernel walk through all of its memory: not for every
 * turn of a loop. Returns 0; -ESRCH when there is no such process; or -errno.
 */
__attribute__((warn_unused_result)) int process_usage_read(pid_t pid,
                                                           struct process_usage *ret_usage);

/*
 * The text of such a stat (proc_pid_stat(5)): sets cpu_ms, for a clock of ticks_per_s
 * (_SC_CLK_TCK), and rss_bytes, for pages of page_bytes. The process's name, the
 * second field, may be anything. Returns 0, or -EINVAL, and nothing is set.
 */
__attribute__((warn_unused_result)) int process_usage_parse_stat(const char *stat, long ticks_per_s,
                                                                 long page_bytes,
                                                                 struct process_usage *ret_usage);

/* The bytes of "Pss:" in the text of such a smaps_rollup (proc_pid_smaps(5)), -1 without one. */
int64_t process_usage_parse_pss(const char *smaps);

#endif
