/*
 * The limits that clients run into: each is counted on the scoreboard and told
 * to the log, at most once a second.
 */
#ifndef ZOMBIE_HTTP_LIMITS_H
#define ZOMBIE_HTTP_LIMITS_H

#include <stdint.h>

struct scoreboard_slot;

/* Also the places of their counters on the scoreboard: a new one goes to the end. */
enum http_limit {
    LIMIT_NONE,
    LIMIT_MALFORMED,
    LIMIT_HEADER_BYTES,
    LIMIT_HEADERS,
    LIMIT_URI_BYTES,
    LIMIT_BODY_BYTES,
    LIMIT_HEADER_TIME,
    LIMIT_BODY_TIME,
    LIMIT_SEND_TIME,
    LIMIT_RATE,
    LIMIT_KEEPALIVE,
    LIMIT_KEEPALIVE_TOTAL,
    LIMIT_KEEPALIVE_REQUESTS,
    LIMIT_CONNECTIONS,
    LIMIT_CLIENT_CONNECTIONS,
    LIMIT_PIPELINED,
    LIMIT_HOSTS,
    LIMIT_DESCRIPTORS,
    LIMIT_BODIES_BYTES,
    LIMITS
};

struct limits {
    struct scoreboard_slot *scoreboard;
    int64_t said_ms[LIMITS]; /* when the log heard of each */
};

/* The name of a limit: the key of the configuration that sets it, or a word like it. */
const char *limit_name(enum http_limit limit);

/*
 * Somebody has run into it: count, and say so unless that was said within the
 * last second. `client` is who, as address_format() writes it, `what` what
 * follows from it ("closing"); "" when it is nobody in particular. LIMIT_NONE is ignored.
 */
void limit_hit(struct limits *limits, enum http_limit limit, const char *client, const char *what);

#endif
