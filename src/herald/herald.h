/*
 * The role that looks around: it finds out what names stand for, which servers are healthy
 * and who belongs to a service, and tells the balancer, which the workers choose by; and it
 * registers the instance. It listens on nothing, and may die like any other child.
 */
#ifndef ZOMBIE_HERALD_HERALD_H
#define ZOMBIE_HERALD_HERALD_H

#include <stdbool.h>

#include "base/address.h"
#include "discovery/tls_client.h"
#include "life/life.h"

struct balancer;
struct conf;
struct directory;
struct scoreboard;

/* What it is born with; all of it is borrowed but the channel. */
struct herald_birth {
    struct life_birth life;
    const struct conf *conf;
    struct balancer *balancer;
    struct directory *directory;
    const struct scoreboard *scoreboard; /* of all; only looked at */
    const struct address *listener;      /* the first TCP listener as it is bound; NULL: none */
    struct tls_client *tls;              /* see herald_prepare(); NULL: nothing needs it */
    const char *tls_refusal;             /* why there is none though it is needed; else NULL */
};

/* Whether there is something for it to do. */
bool herald_is_wanted(const struct conf *conf);

/*
 * Read what its user may not be allowed to read: certificates and keys. Returns 0 and sets
 * *ret_tls, NULL when nothing needs it; or -errno with `why` set and a line in the log: then
 * names and checks are still looked after, and the servers of the cache are there.
 */
__attribute__((warn_unused_result)) int
herald_prepare(const struct conf *conf, struct tls_client **ret_tls, char why[TLS_CLIENT_WHY_SIZE]);

/* As worker_run(). */
int herald_run(const struct herald_birth *birth);

#endif
