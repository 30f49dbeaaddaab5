/*
 * Once a second the master looks after everyone: who hangs, who has served long
 * enough, whether the pid file is there; and tells the service manager that it
 * lives itself.
 */
#ifndef ZOMBIE_CLUSTER_PATROL_H
#define ZOMBIE_CLUSTER_PATROL_H

#include <stdint.h>

struct master;

/* Look, if it is time to; sets master->patrol_ms to when it is next. */
void patrol(struct master *master, int64_t now_ms);

#endif
