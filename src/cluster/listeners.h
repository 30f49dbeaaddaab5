/*
 * The listening sockets of one generation: bound once, by the master, and
 * shared by all workers, or shared out among them where accept = reuseport.
 * What the generation before has open is taken over, not opened again, so that
 * no connection that waits in its queue is lost.
 */
#ifndef ZOMBIE_CLUSTER_LISTENERS_H
#define ZOMBIE_CLUSTER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "cluster/purpose.h"
#include "cluster/share.h"

struct listener;
struct listeners;

/* Room for why a set cannot be opened. */
#define LISTENERS_ERROR_SIZE 512

/* An empty set, with room for n. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int listeners_new(size_t n, struct listeners **ret_listeners);

/*
 * Put a listener into the set, which has room for it, and with it the caller's
 * hold on it. `spread`: each worker has its share of the sockets, else all of them.
 */
void listeners_add(struct listeners *listeners, struct listener *listener, bool spread);

/*
 * One listener for each address that is wanted, in that order: the one of
 * `pool` (another set, NULL: none) with that address, if clients can reach it,
 * else a new one. One that is not spread in the pool is not spread here either,
 * with a warning where the configuration wants it: the pool's workers would have
 * no part in sockets that are added. Returns 0; or -errno of the first that
 * failed, `error` names the address and why, and nothing has changed; those that are
 * optional are left out then, with a line in the log.
 */
__attribute__((warn_unused_result)) int listeners_open(const struct purpose_listens *wanted,
                                                       const struct listeners *pool,
                                                       struct listeners **ret_listeners,
                                                       char error[LISTENERS_ERROR_SIZE]);

/*
 * Open sockets until those that are spread have one for each of n workers; see
 * listener_grow().
 */
void listeners_grow(const struct listeners *listeners, unsigned n, uint64_t since);

/* Give each its backlog, mode and owner of the configuration that the set was made for. */
void listeners_apply(const struct listeners *listeners, const struct purpose_listens *wanted);

/* Warn of those that clients cannot reach any more, see listener_check(). */
void listeners_check(const struct listeners *listeners);

/* Whether some listener is in this set and in no other. */
bool listeners_have_unshared(const struct listeners *listeners);

/*
 * The descriptors for a worker with that share, in the order of the
 * configuration: at least one of each listener, unless they are closed; and
 * room for so many more after them. The caller frees them with free(3).
 * Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int listeners_share(const struct listeners *listeners,
                                                        struct share share, size_t room,
                                                        int **ret_fds, size_t *ret_n);

/*
 * Whether a worker that was born with the id `worker` and the share `has` lacks
 * a socket of the share `wanted`.
 */
bool listeners_lack(const struct listeners *listeners, struct share wanted, struct share has,
                    uint64_t worker);

/* The first one that is a TCP listener, with the port that it is bound to; false: there is none. */
bool listeners_find_tcp(const struct listeners *listeners, struct address *ret_address);

/* Listener i of the set, NULL when there are not so many. */
const struct listener *listeners_at(const struct listeners *listeners, size_t i);

/*
 * Close this process's copies. Connections go on being accepted by processes
 * that have copies of their own.
 */
void listeners_close(struct listeners *listeners);

/* Release each of them and free the set; NULL is fine. */
void listeners_free(struct listeners *listeners);

#endif
