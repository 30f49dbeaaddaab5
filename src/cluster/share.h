/*
 * Which of the sockets of an address a worker accepts from, where there is one
 * for each worker (accept = reuseport): pure arithmetic. Socket 0 belongs to
 * slot 1, and so on; what is beyond the last slot begins with the first again.
 */
#ifndef ZOMBIE_CLUSTER_SHARE_H
#define ZOMBIE_CLUSTER_SHARE_H

#include <stdbool.h>
#include <stddef.h>

struct share {
    unsigned number; /* of the slot, 1.. */
    unsigned of;     /* how many slots share; 1: it has all sockets, 0: it is not known what */
};

/* Whether this socket is in the share, if it is there at all. */
bool share_has(struct share share, size_t socket);

/*
 * The first socket of the share when there are n (above 0): one that belongs to
 * another slot, too, when there are fewer sockets than slots.
 */
size_t share_first(struct share share, size_t n);

#endif
