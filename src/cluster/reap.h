/*
 * Deaths: waitpid(2), and what becomes of the slot.
 */
#ifndef ZOMBIE_CLUSTER_REAP_H
#define ZOMBIE_CLUSTER_REAP_H

#include <stdint.h>

struct master;

/*
 * Reap all that is dead. A worker's death is logged and its slot made ready
 * for a successor, at once or after a back-off; foreign children, which come
 * to process 1, are counted.
 */
void reap_children(struct master *master, int64_t now_ms);

#endif
