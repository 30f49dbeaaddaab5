/*
 * The listening sockets of one generation: bound once, by the master, and
 * shared by all workers. What the generation before has open is taken over,
 * not opened again, so that no connection that waits in its queue is lost.
 */
#ifndef ZOMBIE_CLUSTER_LISTENERS_H
#define ZOMBIE_CLUSTER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct listener;
struct listeners;

/* An empty set, with room for n. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int listeners_new(size_t n, struct listeners **ret_listeners);

/* Put a listener into the set, which has room for it, and with it the caller's hold on it. */
void listeners_add(struct listeners *listeners, struct listener *listener);

/*
 * One listener for each address of the configuration, in its order: the one of
 * `pool` (another set, NULL: none) with that address, if clients can reach it,
 * else a new one. Returns
 * 0; or -errno of the first that failed, with a line in the log that names the
 * address, and nothing changed.
 */
__attribute__((warn_unused_result)) int listeners_open(const struct conf *conf,
                                                       const struct listeners *pool,
                                                       struct listeners **ret_listeners);

/* Give each its backlog and mode of the configuration that the set was made for. */
void listeners_apply(const struct listeners *listeners, const struct conf *conf);

/* Warn of those that clients cannot reach any more, see listener_check(). */
void listeners_check(const struct listeners *listeners);

/* Whether some listener is in this set and in no other. */
bool listeners_have_unshared(const struct listeners *listeners);

/* The descriptors, in the order of the configuration; *ret_n is 0 once they are closed. */
const int *listeners_fds(const struct listeners *listeners, size_t *ret_n);

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
