#include "config.h"

#include "proxy/hop_by_hop.h"

#include <string.h>

#include "http/octets.h"

/* HTTP2-Settings goes with Upgrade (RFC 7540 section 3.2.1). */
static const char *const always[] = {
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
};

static bool equal(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (octets_lower(a.at[i]) != octets_lower(b.at[i]))
            return false;
    }
    return true;
}

static bool has_element(struct slice list, struct slice wanted)
{
    struct slice element;

    while (octets_next_element(&list, &element)) {
        if (equal(element, wanted))
            return true;
    }
    return false;
}

bool hop_by_hop(const struct slice *name, const struct slice *connections, size_t n)
{
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        if (octets_match(*name, always[i], strlen(always[i])))
            return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (has_element(connections[i], *name))
            return true;
    }
    return false;
}

bool hop_by_hop_names(const struct slice *lists, size_t n, const char *lower)
{
    struct slice wanted = {.at = lower, .len = strlen(lower)};

    for (size_t i = 0; i < n; i++) {
        if (has_element(lists[i], wanted))
            return true;
    }
    return false;
}
