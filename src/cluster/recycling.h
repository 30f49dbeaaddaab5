/*
 * Carrying out what recycle.h decides: one worker at a time, and its successor
 * serves before it leaves.
 */
#ifndef ZOMBIE_CLUSTER_RECYCLING_H
#define ZOMBIE_CLUSTER_RECYCLING_H

#include <stdint.h>

struct master;

/*
 * Once in a while: if no worker is being recycled and all serve, fork a
 * successor for the next one that has reached a limit.
 */
void recycling_look(struct master *master, int64_t now_ms);

/* Once a turn: let a successor that is READY take over. */
void recycling_step(struct master *master, int64_t now_ms);

/* A successor failed to boot. Returns after how many milliseconds the next may be tried. */
int64_t recycling_postpone(struct master *master, int64_t now_ms);

#endif
