/*
 * What a new process must shed of its master before it may be a worker.
 */
#ifndef ZOMBIE_CLUSTER_CHILD_H
#define ZOMBIE_CLUSTER_CHILD_H

struct conf;
struct worker_birth;

/*
 * In the child, right after fork(2): default signal dispositions, every
 * descriptor closed but the standard ones, the log, the channel and the
 * listeners, the user and group of the configuration, no new privileges.
 * Returns 0, or the exit status (71, EX_OSERR) with a line in the log.
 */
__attribute__((warn_unused_result)) int child_settle(const struct worker_birth *birth);

/*
 * In the master, at start: whether children will be able to become the user
 * and group of the configuration. Returns 0; or -EPERM with a line in the log.
 */
__attribute__((warn_unused_result)) int child_check_user(const struct conf *conf);

#endif
