/*
 * What a new process must shed of its master before it may be a worker.
 */
#ifndef ZOMBIE_CLUSTER_CHILD_H
#define ZOMBIE_CLUSTER_CHILD_H

#include <stddef.h>

#include "cluster/role.h"

struct conf;

/* What a child needs to become itself; all is borrowed. */
struct child_plan {
    const struct conf_instance *instance;
    enum role role;
    unsigned number;      /* of its slot */
    const int *fds;       /* what it keeps open besides standard error and the log, */
    size_t n_fds;         /* ... those that are -1 left out */
    const char *writable; /* a folder where it may write files whatever landlock says; NULL: none */
};

/*
 * In the child, right after fork(2): default signal dispositions, every
 * descriptor closed but the standard ones, the log and those of the plan; CPU, oom_score_adj, root
 * folder, user and group of the configuration; no new privileges. Returns 0, or the exit status
 * (71, EX_OSERR) with a line in the log.
 */
__attribute__((warn_unused_result)) int child_settle(const struct child_plan *plan);

/* Default dispositions for all signals, and none blocked (signal(7)). */
void child_reset_signals(void);

/*
 * In the master, at start and reload: NULL when children will have the right to
 * become what the configuration says, else why not, a constant.
 */
const char *child_lacks_rights(const struct conf *conf);

#endif
