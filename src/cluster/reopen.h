/*
 * New log files for all processes, after somebody has moved the old ones.
 */
#ifndef ZOMBIE_CLUSTER_REOPEN_H
#define ZOMBIE_CLUSTER_REOPEN_H

struct master;

/*
 * Open the files of the log and of the access log again and hand their
 * descriptors to every worker, which may not have the right, or the folder, to
 * open them. Where one cannot be opened all go on with the old one, and the log
 * says so.
 */
void reopen_logs(struct master *master);

#endif
