/*
 * The master's part in the balancing of upstreams: the balancer knows those of
 * the configuration in force, during a reload also those of the next one, and
 * nothing of the dead. The master never waits for a lock of it: what cannot be
 * done at once is done in a later turn.
 */
#ifndef ZOMBIE_CLUSTER_BALANCE_H
#define ZOMBIE_CLUSTER_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct master;
struct slot;

/*
 * At start: make the balancer, for the upstreams of this configuration. After an upgrade
 * with the descriptor of the predecessor's (-1: there is none), whose upstreams stay until the
 * reload; with one that cannot be used this begins anew. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int balance_new(struct master *master, const struct conf *conf);
__attribute__((warn_unused_result)) int balance_adopt(struct master *master,
                                                      const struct conf *conf, int fd);

/*
 * A generation is about to boot: its upstreams and servers come to those of the current
 * one, which lose nothing. Returns NULL, or why there cannot be both, a constant.
 */
const char *balance_try(struct master *master);

/* Nothing but what the current generation has, which may be new or was left alone. */
void balance_settle(struct master *master);

/* The process of this slot is dead: its connections are no more. */
void balance_bury(struct slot *slot);

/* Do what could not be done before. */
void balance_step(struct master *master);

/* Whether the next generation has to wait before its children are born. */
bool balance_is_behind(const struct master *master);

/* When balance_step() has something to do; INT64_MAX: never. */
int64_t balance_due_ms(const struct master *master, int64_t now_ms);

#endif
