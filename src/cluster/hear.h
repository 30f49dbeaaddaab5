/*
 * The master's ear: what workers say on their channels becomes state.
 */
#ifndef ZOMBIE_CLUSTER_HEAR_H
#define ZOMBIE_CLUSTER_HEAR_H

struct slot;

/*
 * Open the slot's channel on the master's end of a pair. Owns fd from now on,
 * in case of failure too. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int hear_worker(struct slot *slot, int fd);

#endif
