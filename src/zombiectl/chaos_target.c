#include "config.h"

#include "zombiectl/chaos_target.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "http/octets.h"

static const char scheme[] = "http://";

/* The port behind the last colon; "80" without one. An IPv6 address stands in brackets. */
static const char *split_port(char *authority)
{
    char *bracket = strrchr(authority, ']');
    char *colon = strrchr(authority, ':');

    if (colon == NULL || (bracket != NULL && colon < bracket))
        return "80";
    *colon = '\0';
    return colon + 1;
}

static int look_up(const char *name, const char *port, struct address *ret_address,
                   const char **ret_why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;

    if (getaddrinfo(name, port, &hints, &found) != 0) {
        *ret_why = "the host is not known";
        return -EHOSTUNREACH;
    }
    memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
    ret_address->len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* As a name, it consists of bytes of names alone; what looks like an address is one, or wrong. */
static bool is_name(const char *host)
{
    size_t len = strlen(host);

    return octets_span(host, len, OCTET_HOST) == len && strcspn(host, "[]:") == len;
}

static int parse_authority(const char *text, size_t len, struct address *ret_address,
                           const char **ret_why)
{
    char host[CHAOS_TARGET_HOST_SIZE];
    char numeric[CHAOS_TARGET_HOST_SIZE + 8];
    const char *port;
    const char *why;
    long number;

    if (len == 0 || len >= sizeof(host) || memchr(text, '@', len) != NULL) {
        *ret_why = "the host is missing, too long, or has a user before it";
        return -EINVAL;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    port = split_port(host);
    if (number_parse(port, 1, 65535, &number) != 0) {
        *ret_why = "the port is not a number from 1 to 65535";
        return -EINVAL;
    }
    (void)snprintf(numeric, sizeof(numeric), "%s:%ld", host, number);
    if (address_parse(numeric, ret_address, &why) == 0)
        return 0;
    if (is_name(host))
        return look_up(host, port, ret_address, ret_why);
    *ret_why = why;
    return -EINVAL;
}

static int parse_path(const char *text, char path[CHAOS_TARGET_PATH_SIZE], const char **ret_why)
{
    const char *slash = text[0] == '/' ? "" : "/";
    int len = snprintf(path, CHAOS_TARGET_PATH_SIZE, "%s%s", slash, text);

    if (len >= CHAOS_TARGET_PATH_SIZE ||
        octets_span(path, (size_t)len, OCTET_TARGET) != (size_t)len) {
        *ret_why = "the path is too long or has a byte that a path cannot have";
        return -EINVAL;
    }
    return 0;
}

static int parse_unix(const char *url, struct chaos_target *ret_target, const char **ret_why)
{
    (void)snprintf(ret_target->host, sizeof(ret_target->host), "localhost");
    (void)snprintf(ret_target->path, sizeof(ret_target->path), "/");
    return address_parse(url, &ret_target->address, ret_why);
}

int chaos_target_parse(const char *url, struct chaos_target *ret_target, const char **ret_why)
{
    const char *authority = url + sizeof(scheme) - 1;
    size_t len;
    int r;

    if (strncmp(url, "unix:", 5) == 0)
        return parse_unix(url, ret_target, ret_why);
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0) {
        *ret_why = "it does not begin with http:// or unix:";
        return -EINVAL;
    }
    len = strcspn(authority, "/?");
    r = parse_authority(authority, len, &ret_target->address, ret_why);
    if (r != 0)
        return r;
    (void)snprintf(ret_target->host, sizeof(ret_target->host), "%.*s", (int)len, authority);
    return parse_path(authority + len, ret_target->path, ret_why);
}
