#include "config.h"

#include "http/limits.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/scoreboard.h"

#define QUIET_MS 1000

_Static_assert((int)LIMITS <= SCOREBOARD_LIMITS, "the scoreboard has a counter for each limit");

/* The level of what is an attack or a wrong setting, and of what is everyday life. */
static const struct {
    const char *name;
    enum log_level level;
} rows[LIMITS] = {
    [LIMIT_NONE] = {"none", LOG_LEVEL_DEBUG},
    [LIMIT_MALFORMED] = {"malformed", LOG_LEVEL_INFO},
    [LIMIT_HEADER_BYTES] = {"max_header_bytes", LOG_LEVEL_WARNING},
    [LIMIT_HEADERS] = {"max_headers", LOG_LEVEL_WARNING},
    [LIMIT_URI_BYTES] = {"max_uri_bytes", LOG_LEVEL_WARNING},
    [LIMIT_BODY_BYTES] = {"max_body", LOG_LEVEL_WARNING},
    [LIMIT_HEADER_TIME] = {"header_ms", LOG_LEVEL_WARNING},
    [LIMIT_BODY_TIME] = {"body_ms", LOG_LEVEL_WARNING},
    [LIMIT_SEND_TIME] = {"send_ms", LOG_LEVEL_WARNING},
    [LIMIT_RATE] = {"min_rate", LOG_LEVEL_WARNING},
    [LIMIT_KEEPALIVE] = {"keepalive_ms", LOG_LEVEL_DEBUG},
    [LIMIT_KEEPALIVE_TOTAL] = {"keepalive_total_ms", LOG_LEVEL_DEBUG},
    [LIMIT_KEEPALIVE_REQUESTS] = {"keepalive_requests", LOG_LEVEL_DEBUG},
    [LIMIT_CONNECTIONS] = {"max_connections", LOG_LEVEL_WARNING},
    [LIMIT_CLIENT_CONNECTIONS] = {"max_connections_per_client", LOG_LEVEL_WARNING},
    [LIMIT_PIPELINED] = {"max_pipelined", LOG_LEVEL_WARNING},
    [LIMIT_HOSTS] = {"hosts", LOG_LEVEL_INFO},
    [LIMIT_DESCRIPTORS] = {"descriptors", LOG_LEVEL_WARNING},
    [LIMIT_BODIES_BYTES] = {"max_bodies_bytes", LOG_LEVEL_WARNING},
};

const char *limit_name(enum http_limit limit)
{
    return rows[limit].name;
}

void limit_hit(struct limits *limits, enum http_limit limit, const char *client, const char *what)
{
    if (limit == LIMIT_NONE)
        return;
    int64_t now_ms = clock_now_ms();
    uint64_t n = scoreboard_count_limit(limits->scoreboard, limit);
    if (limits->said_ms[limit] != 0 && now_ms - limits->said_ms[limit] < QUIET_MS)
        return;
    limits->said_ms[limit] = now_ms;
    struct log_field fields[] = {LOG_TEXT("limit", rows[limit].name), LOG_NUMBER("hits", n),
                                 LOG_TEXT("client", client)};
    log_write(rows[limit].level, fields, client[0] != '\0' ? 3 : 2, "%s", what);
}
