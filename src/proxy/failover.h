/*
 * Whether a request that has failed at one server may go to another: the rules
 * of nginx's proxy_next_upstream. Pure.
 */
#ifndef ZOMBIE_PROXY_FAILOVER_H
#define ZOMBIE_PROXY_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

struct conf_upstream;

/* What has become of a request so far, none of whose answer has gone to the client. */
struct failover {
    unsigned reason;    /* one of enum conf_next */
    const char *method; /* POST, PATCH, and what else is not idempotent (RFC 9110 section 9.2.2) */
    bool is_sent;       /* some of it went to the server that failed */
    bool is_replayable; /* all of the body that came is still there */
    unsigned attempts;  /* so far */
    int64_t elapsed_ms; /* since the first began */
};

bool failover_is_allowed(const struct conf_upstream *conf, const struct failover *failover);

/* The reason that an answer of this status is, if the configuration counts it as one; or 0. */
unsigned failover_status(const struct conf_upstream *conf, int status);

#endif
