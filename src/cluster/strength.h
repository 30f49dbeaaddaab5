/*
 * How strong an instance is: how many workers, what they may use, and how fast
 * they may be replaced.
 */
#ifndef ZOMBIE_CLUSTER_STRENGTH_H
#define ZOMBIE_CLUSTER_STRENGTH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/respawn.h"

struct conf;
struct conf_instance;
struct conf_registry;
struct master;

/* How many workers the configuration and the machine make; a line in the log shows the sum. */
unsigned strength_decide(const struct conf_instance *instance);

/* Raise the limit of descriptors to what the workers need, or say that it is not enough. */
void strength_raise_descriptors(const struct conf *conf);

/* Say in the log what instance.landlock means on this kernel. */
void strength_announce_sandbox(const struct conf_instance *instance);

/* Warn of a registry.password_file that others may read. */
void strength_announce_registry(const struct conf_registry *registry);

/* The limits of the respawn policy, its back-off among them. */
struct respawn_limits strength_respawn_limits(const struct conf_instance *instance);

/* The respawn policy of the configuration. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int strength_make_policy(const struct conf *conf,
                                                             struct respawn **ret_respawn);

/*
 * So many workers, 1..instance.max_workers, until the next reload: those that are
 * missing are forked in the same turn, those that are too many leave.
 */
void strength_set(struct master *master, unsigned workers);

/* One worker more, or fewer, until the next reload; never below one. */
void strength_raise(struct master *master);
void strength_lower(struct master *master);

/*
 * Let all workers finish and leave. The sockets stay open, so that connections
 * wait, until a reload or strength_raise() brings workers again.
 */
void strength_pause(struct master *master);

/* Whether there is one of those that strength_retire_surplus() sends away. */
bool strength_has_surplus(const struct master *master);

/* Let the workers finish and leave whose slots are beyond the last one. */
void strength_retire_surplus(struct master *master, int64_t now_ms);

#endif
