/*
 * New log files for all processes, after somebody has moved the old ones.
 */
#ifndef ZOMBIE_CLUSTER_REOPEN_H
#define ZOMBIE_CLUSTER_REOPEN_H

struct conf_log;
struct master;

/*
 * Open the files of the log and of the access log again and hand their
 * descriptors to every worker, which may not have the right, or the folder, to
 * open them. Where one cannot be opened all go on with the old one, and the log
 * says so.
 */
void reopen_logs(struct master *master);

/*
 * Log where this section says from now on; a level that was ordered stays in force.
 * Returns 0, or -errno and nothing has changed.
 */
__attribute__((warn_unused_result)) int reopen_as(const struct master *master,
                                                  const struct conf_log *conf);

#endif
