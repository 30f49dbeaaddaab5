/*
 * Listening sockets that a service manager has opened for us (socket
 * activation), matched with what the configuration names.
 */
#ifndef ZOMBIE_CLUSTER_ACTIVATED_H
#define ZOMBIE_CLUSTER_ACTIVATED_H

struct conf;
struct launch;
struct listeners;

/*
 * The set of sockets that were passed to this process, for listeners_open() to
 * choose from; an empty one when there are none. Returns 0; or -errno with a
 * line in the log, which names a socket that no `listen` section wants.
 */
__attribute__((warn_unused_result)) int activated_take(const struct launch *launch,
                                                       const struct conf *conf,
                                                       struct listeners **ret_listeners);

#endif
