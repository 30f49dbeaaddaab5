/*
 * What the tests of the balancer share: configurations made of text, and one
 * upstream that is theirs.
 */
#ifndef ZOMBIE_TESTS_BALANCER_FIXTURE_H
#define ZOMBIE_TESTS_BALANCER_FIXTURE_H

#include "proxy/balancer.h"

/* The most servers in one make_upstream(). */
#define FIXTURE_SERVERS 130

/*
 * Add an upstream to the configuration: `servers` are words, each an address, or a
 * name when it begins with a letter and is no unix socket; behind it may stand
 * "*5" (weight 5), "!" (backup), "-" (down), "~" (10 s of slow start).
 */
void fixture_add(struct conf *conf, const char *title, int balance, const char *servers);

/* Free what fixture_add() has made. */
void fixture_clear(struct conf *conf);

/* Apply a configuration of the upstream "u" alone, and find it. */
struct balancer_upstream *fixture_apply(struct balancer *balancer, int balance, const char *servers,
                                        int64_t now_ms);

/* Resolve to these addresses, words again; what balancer_resolve() returns. */
int fixture_resolve(struct balancer_upstream *upstream, const char *name, const char *addresses,
                    int64_t now_ms);

/* Choose for this place; it must go well. */
struct balancer_pick fixture_choose(struct balancer_upstream *upstream, unsigned place,
                                    int64_t now_ms);

/* Whether nobody is to be chosen. */
bool fixture_nobody(struct balancer_upstream *upstream, int64_t now_ms);

/* balancer_done() without a latency. */
void fixture_finish(struct balancer_upstream *upstream, unsigned place,
                    const struct balancer_pick *pick, enum balancer_outcome outcome,
                    int64_t now_ms);

/* The last digits of the ports that are chosen, one after the other, each one finished. */
void fixture_assert_sequence(struct balancer_upstream *upstream, int64_t now_ms,
                             const char *wanted);

/* The peer of this address; .server is empty when there is none. */
struct balancer_view fixture_look(struct balancer_upstream *upstream, const char *name,
                                  int64_t now_ms);

#endif
