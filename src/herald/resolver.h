/*
 * Asks for the addresses of a name: of /etc/hosts, or else of the name servers
 * in /etc/resolv.conf, by libevent's resolver, which tells how long they are good for.
 */
#ifndef ZOMBIE_HERALD_RESOLVER_H
#define ZOMBIE_HERALD_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct event_base;
struct lookup;
struct resolver;

/* The most addresses of a name that are taken: as many as fit an answer by UDP. */
#define RESOLVER_ADDRESSES 64

/* How long what stands in the file of hosts is taken to be good. */
#define RESOLVER_HOSTS_TTL_S 10

/* Texts live as long as the resolver. */
struct resolver_settings {
    struct event_base *base;
    const char *resolv_conf; /* path, resolv.conf(5) */
    const char *hosts;       /* path, hosts(5) */
    long patience_ms;        /* for the other family when one has brought addresses */
    long detour_ms;          /* how long the first name server, which was of no help, is spared */
};

/* What has become of a lookup. */
struct resolver_answer {
    const char *error;               /* NULL: found; else why not, a constant */
    const struct address *addresses; /* in the order of family and number, without a port */
    size_t n;
    int64_t ttl_s; /* the shortest of all */
    int missing;   /* a family that could not be asked for: AF_INET, AF_INET6; 0: none */
};

/* The answer is only good in there. */
typedef void resolver_done(const struct resolver_answer *answer, void *arg);

/* Returns 0 or -ENOMEM. Without a file of name servers 127.0.0.1 is asked, as resolv.conf(5)
 * has it. */
__attribute__((warn_unused_result)) int resolver_new(const struct resolver_settings *settings,
                                                     struct resolver **ret_resolver);

/*
 * Look up all IPv4 and IPv6 addresses of a name. `done` is called once, from the loop and never
 * from in here. Name servers that have changed since the last one are asked from then on,
 * once nothing is under way. Returns 0 and the lookup, which is the resolver's and over with
 * `done`; or -errno.
 */
__attribute__((warn_unused_result)) int resolver_look_up(struct resolver *resolver,
                                                         const char *name, resolver_done *done,
                                                         void *arg, struct lookup **ret_lookup);

/* Give up a lookup that is not over: `done` does not come any more. NULL is fine. */
void resolver_cancel(struct lookup *lookup);

/* Free, with all lookups that run, whose callbacks do not come any more; for when the loop has
 * run for the last time. NULL is fine. */
void resolver_free(struct resolver *resolver);

#endif
