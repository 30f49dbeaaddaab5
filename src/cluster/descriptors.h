/*
 * Descriptors: enough for the connections that the configuration promises.
 */
#ifndef ZOMBIE_CLUSTER_DESCRIPTORS_H
#define ZOMBIE_CLUSTER_DESCRIPTORS_H

struct conf;

/*
 * Fill what is missing of the descriptors 0, 1 and 2 with /dev/null, first
 * thing in main(): else the next file that is opened becomes standard error.
 */
void descriptors_fill_standard(void);

/*
 * Raise this process's limit (RLIMIT_NOFILE, getrlimit(2)), which children
 * inherit, to what http.max_connections needs, as far as it may. When that is
 * not enough the log says so: each worker then accepts fewer connections.
 */
void descriptors_raise(const struct conf *conf);

#endif
