#include "config.h"

#include "http/authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/octets.h"

/* The length of the "[address]" at the front; 0 when there is no valid one. */
static size_t bracketed_len(struct slice text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    const char *end = memchr(text.at, ']', text.len);
    size_t len = end ? (size_t)(end - text.at) - 1 : 0;

    if (len == 0 || len >= sizeof(address) || memchr(text.at, '\0', len))
        return 0;
    memcpy(address, text.at + 1, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1 ? len + 2 : 0;
}

/* The length of the name at the front; 0 when there is no valid one. */
static size_t name_len(struct slice text)
{
    char before = '.';
    size_t len = 0;

    for (; len < text.len && octets_is(text.at[len], OCTET_HOST); len++) {
        if (text.at[len] == '.' && before == '.')
            return 0;
        before = text.at[len];
    }
    return len;
}

/* ":1" to ":65535", digits without a leading zero. */
static bool parse_port(struct slice text, unsigned *ret_port)
{
    unsigned port = 0;

    if (text.len < 2 || text.len > 6 || text.at[0] != ':' || text.at[1] == '0')
        return false;
    for (size_t i = 1; i < text.len; i++) {
        if (!octets_is(text.at[i], OCTET_DIGIT))
            return false;
        port = port * 10 + (unsigned)(text.at[i] - '0');
    }
    *ret_port = port;
    return port <= 65535;
}

bool authority_parse(struct slice text, struct authority *ret_authority)
{
    struct authority parsed = {.port = 80};
    struct slice port;

    if (text.len == 0)
        return false;
    parsed.name.at = text.at;
    parsed.name.len = text.at[0] == '[' ? bracketed_len(text) : name_len(text);
    if (parsed.name.len == 0)
        return false;
    port.at = text.at + parsed.name.len;
    port.len = text.len - parsed.name.len;
    if (port.len > 0 && !parse_port(port, &parsed.port))
        return false;
    *ret_authority = parsed;
    return true;
}

bool authority_equal(const struct authority *a, const struct authority *b)
{
    if (a->port != b->port || a->name.len != b->name.len)
        return false;
    for (size_t i = 0; i < a->name.len; i++) {
        if (octets_lower(a->name.at[i]) != octets_lower(b->name.at[i]))
            return false;
    }
    return true;
}
