/*
 * Descriptors: enough for the connections that the configuration promises.
 */
#ifndef ZOMBIE_CLUSTER_DESCRIPTORS_H
#define ZOMBIE_CLUSTER_DESCRIPTORS_H

struct conf;

/*
 * Raise this process's limit (RLIMIT_NOFILE, getrlimit(2)), which children
 * inherit, to what http.max_connections needs, as far as it may. When that is
 * not enough the log says so: each worker then accepts fewer connections.
 */
void descriptors_raise(const struct conf *conf);

#endif
