/*
 * Socket addresses from text and back.
 */
#include "config.h"

#include "base/address.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"

static int fail(const char *why, const char **ret_why)
{
    *ret_why = why;
    return -EINVAL;
}

/* Copy the bytes from start to end; false when they do not fit. */
static bool copy_part(const char *start, const char *end, char *buf, size_t size)
{
    size_t len = (size_t)(end - start);

    if (len >= size)
        return false;
    memcpy(buf, start, len);
    buf[len] = '\0';
    return true;
}

static int parse_port(const char *text, in_port_t *ret_port, const char **ret_why)
{
    long port;

    if (number_parse(text, 0, 65535, &port) < 0)
        return fail("the port is not a number from 0 to 65535", ret_why);
    *ret_port = htons((uint16_t)port);
    return 0;
}

static int parse_unix(const char *path, struct address *ret_address, const char **ret_why)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret_address->storage;
    size_t len = strlen(path);

    if (path[0] != '/')
        return fail("the path of a unix socket must be absolute", ret_why);
    if (len >= sizeof(un->sun_path))
        return fail("the path of a unix socket must be shorter than 108 bytes", ret_why);
    memset(ret_address, 0, sizeof(*ret_address));
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len + 1);
    ret_address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return 0;
}

static int parse_ipv6(const char *text, struct address *ret_address, const char **ret_why)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const char *end = strchr(text, ']');
    char host[INET6_ADDRSTRLEN];
    int r;

    if (!end || end[1] != ':')
        return fail("it is not of the form [IPv6]:PORT", ret_why);
    /* The number behind a zone's name may change with each boot: a listener must not depend on it.
     */
    if (memchr(text, '%', (size_t)(end - text)))
        return fail("an IPv6 address with a zone (%) is not supported", ret_why);
    if (!copy_part(text + 1, end, host, sizeof(host)) ||
        inet_pton(AF_INET6, host, &in6.sin6_addr) != 1)
        return fail("the address in brackets is not IPv6", ret_why);
    r = parse_port(end + 2, &in6.sin6_port, ret_why);
    if (r < 0)
        return r;
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(&ret_address->storage, &in6, sizeof(in6));
    ret_address->len = sizeof(in6);
    return 0;
}

static int parse_ipv4(const char *text, struct address *ret_address, const char **ret_why)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    const char *colon = strchr(text, ':');
    char host[INET_ADDRSTRLEN];
    int r;

    if (!colon)
        return fail("it is not ADDR:PORT, [IPv6]:PORT or unix:/path", ret_why);
    if (strchr(colon + 1, ':'))
        return fail("it has more than one colon: an IPv6 address needs brackets, [IPv6]:PORT",
                    ret_why);
    if (!copy_part(text, colon, host, sizeof(host)) || inet_pton(AF_INET, host, &in.sin_addr) != 1)
        return fail("the address is not IPv4, [IPv6] or unix:/path", ret_why);
    r = parse_port(colon + 1, &in.sin_port, ret_why);
    if (r < 0)
        return r;
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(&ret_address->storage, &in, sizeof(in));
    ret_address->len = sizeof(in);
    return 0;
}

int address_parse(const char *text, struct address *ret_address, const char **ret_why)
{
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text + strlen(UNIX_PREFIX), ret_address, ret_why);
    if (text[0] == '[')
        return parse_ipv6(text, ret_address, ret_why);
    return parse_ipv4(text, ret_address, ret_why);
}

/*
 * The name of a unix socket without padding: a path, or an abstract name that
 * starts with a NUL byte. Kernel and programs differ in whether len counts the
 * NUL behind a path, so only the bytes before it matter.
 */
static const char *unix_name(const struct address *address, size_t *ret_len)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    size_t len = address->len > offset ? address->len - offset : 0;

    if (len > sizeof(un->sun_path))
        len = sizeof(un->sun_path);
    if (len > 0 && un->sun_path[0] != '\0')
        len = strnlen(un->sun_path, len);
    *ret_len = len;
    return un->sun_path;
}

static void format_unix(const struct address *address, char buf[ADDRESS_TEXT_SIZE])
{
    size_t len;
    const char *name = unix_name(address, &len);
    bool abstract = len > 0 && name[0] == '\0';

    if (abstract)
        snprintf(buf, ADDRESS_TEXT_SIZE, UNIX_PREFIX "@%.*s", (int)len - 1, name + 1);
    else
        snprintf(buf, ADDRESS_TEXT_SIZE, UNIX_PREFIX "%.*s", (int)len, name);
}

void address_format(const struct address *address, char buf[ADDRESS_TEXT_SIZE])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
    char host[INET6_ADDRSTRLEN];

    switch (address->storage.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(buf, ADDRESS_TEXT_SIZE, "%s:%d", host, ntohs(in->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(buf, ADDRESS_TEXT_SIZE, "[%s]:%d", host, ntohs(in6->sin6_port));
        break;
    case AF_UNIX:
        format_unix(address, buf);
        break;
    default:
        snprintf(buf, ADDRESS_TEXT_SIZE, "unknown");
        break;
    }
}

void address_format_host(const struct address *address, char buf[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;

    buf[0] = '\0';
    if (address->storage.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &in->sin_addr, buf, INET6_ADDRSTRLEN);
    else if (address->storage.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        (void)inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], buf, INET6_ADDRSTRLEN);
    else if (address->storage.ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, buf, INET6_ADDRSTRLEN);
}

bool address_is_numeric(const char *host)
{
    struct in6_addr bytes;

    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1;
}

size_t address_join(const char *host, unsigned port, char *buf, size_t size)
{
    bool is_ipv6 = strchr(host, ':') != NULL;
    int len = snprintf(buf, size, is_ipv6 ? "[%s]:%u" : "%s:%u", host, port);

    return len > 0 ? (size_t)len : 0;
}

static bool unix_equal(const struct address *a, const struct address *b)
{
    size_t len_a;
    size_t len_b;
    const char *name_a = unix_name(a, &len_a);
    const char *name_b = unix_name(b, &len_b);

    return len_a > 0 && len_a == len_b && memcmp(name_a, name_b, len_a) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    const struct sockaddr_in *in_a = (const struct sockaddr_in *)&a->storage;
    const struct sockaddr_in *in_b = (const struct sockaddr_in *)&b->storage;
    const struct sockaddr_in6 *in6_a = (const struct sockaddr_in6 *)&a->storage;
    const struct sockaddr_in6 *in6_b = (const struct sockaddr_in6 *)&b->storage;

    if (a->storage.ss_family != b->storage.ss_family)
        return false;
    switch (a->storage.ss_family) {
    case AF_INET:
        return in_a->sin_port == in_b->sin_port && in_a->sin_addr.s_addr == in_b->sin_addr.s_addr;
    case AF_INET6:
        return in6_a->sin6_port == in6_b->sin6_port &&
               in6_a->sin6_scope_id == in6_b->sin6_scope_id &&
               memcmp(&in6_a->sin6_addr, &in6_b->sin6_addr, sizeof(in6_a->sin6_addr)) == 0;
    case AF_UNIX:
        return unix_equal(a, b);
    default:
        return false;
    }
}

int address_port(const struct address *address)
{
    switch (address->storage.ss_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    default:
        return -1;
    }
}

bool address_is_local(const struct address *address)
{
    const struct sockaddr_storage *storage = &address->storage;
    switch (storage->ss_family) {
    case AF_INET:
        return ntohl(((const struct sockaddr_in *)storage)->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)storage)->sin6_addr);
    default:
        return storage->ss_family == AF_UNIX;
    }
}

void address_set_port(struct address *address, unsigned port)
{
    switch (address->storage.ss_family) {
    case AF_INET:
        ((struct sockaddr_in *)&address->storage)->sin_port = htons((uint16_t)port);
        break;
    case AF_INET6:
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons((uint16_t)port);
        break;
    default:
        break;
    }
}
