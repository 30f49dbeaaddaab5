/*
 * Whom the kernel kills first when memory runs out.
 */
#ifndef ZOMBIE_HOST_OOM_SCORE_H
#define ZOMBIE_HOST_OOM_SCORE_H

/*
 * Raise oom_score_adj of the calling process (proc_pid_oom_score_adj(5)) by
 * `adj`, 0.., to 1000 at most: a child that does so dies before its parent. It
 * takes no privilege, but must come before a change of the user id: the files
 * in /proc/self are root's after it. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int oom_score_raise(long adj);

#endif
