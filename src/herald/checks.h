/*
 * The rounds of active checks: each server of each upstream that has a rule is
 * probed in its turn, and the balancer told who is healthy.
 */
#ifndef ZOMBIE_HERALD_CHECKS_H
#define ZOMBIE_HERALD_CHECKS_H

#include <stdbool.h>

struct balancer;
struct checks;
struct conf;
struct event_base;

/* Probes under way at the same time; others wait for one to end. */
#define CHECKS_AT_ONCE 256

/* Whether a configuration wants any. */
bool checks_are_wanted(const struct conf *conf);

/* All of it is borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int checks_new(struct event_base *base, const struct conf *conf,
                                                   struct balancer *balancer,
                                                   struct checks **ret_checks);

/* Look which servers there are now, which also happens once a second; the first call begins. */
void checks_look(struct checks *checks);

/* Check nothing any more, and free; NULL is fine. */
void checks_free(struct checks *checks);

#endif
