/*
 * The listening sockets: bound once, by the master, and shared by all workers.
 */
#ifndef ZOMBIE_CLUSTER_LISTENER_H
#define ZOMBIE_CLUSTER_LISTENER_H

#include <stddef.h>

struct conf;
struct listeners;

/*
 * Bind and listen on every address of the configuration. Returns 0; or -errno
 * of the first that failed, with a line in the log that names the address, and
 * none left open.
 */
__attribute__((warn_unused_result)) int listeners_open(const struct conf *conf,
                                                       struct listeners **ret_listeners);

/* The descriptors, in the order of the configuration; *ret_n is 0 once they are closed. */
const int *listeners_fds(const struct listeners *listeners, size_t *ret_n);

/*
 * Close this process's copies. Connections go on being accepted by processes
 * that have copies of their own.
 */
void listeners_close(struct listeners *listeners);

/*
 * Close what is open, unlink the files of unix sockets unless they are somebody
 * else's by now, and free; NULL is fine.
 */
void listeners_free(struct listeners *listeners);

#endif
