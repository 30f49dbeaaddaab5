/*
 * A new log file for all processes, after somebody has moved the old one.
 */
#ifndef ZOMBIE_CLUSTER_REOPEN_H
#define ZOMBIE_CLUSTER_REOPEN_H

struct master;

/*
 * Open the log's file again and hand its descriptor to every worker, which may
 * not have the right, or the folder, to open it. When it cannot be opened all
 * go on with the old one, and the log says so.
 */
void reopen_logs(struct master *master);

#endif
