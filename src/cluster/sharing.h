/*
 * Who accepts from which socket where there is one for each worker (accept =
 * reuseport). A worker has the sockets that it was born with. So when others
 * fall to it, because there are fewer workers, it gets a successor that has
 * them, and only then those go that are not needed: no queue is without a reader.
 */
#ifndef ZOMBIE_CLUSTER_SHARING_H
#define ZOMBIE_CLUSTER_SHARING_H

#include <stdint.h>

#include "cluster/share.h"

struct master;
struct slot;

/* The share of a worker that is born into this slot now. */
struct share sharing_share(const struct slot *slot);

/*
 * Something has changed on which shares depend: how many workers or sockets there
 * are, or that a slot is held. Look at them in sharing_step().
 */
void sharing_change(struct master *master);

/*
 * Once a turn, unless a reload is under way: a successor for the next worker that
 * lacks a socket; when nobody does, retire the workers beyond the last slot.
 */
void sharing_step(struct master *master, int64_t now_ms);

#endif
