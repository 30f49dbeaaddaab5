/*
 * Networks in CIDR notation.
 */
#include "config.h"

#include "base/network.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* ::ffff:0:0/96, where IPv6 keeps the IPv4 addresses (RFC 4291, section 2.5.5.2). */
#define MAPPED_BITS  96
#define MAPPED_BYTES (MAPPED_BITS / 8)
static const unsigned char mapped_prefix[MAPPED_BYTES] = {[10] = 0xff, [11] = 0xff};

static int fail(const char *why, const char **ret_why)
{
    *ret_why = why;
    return -EINVAL;
}

/* Split "ADDR/BITS": the address goes to host, the result is BITS, or NULL without a slash. */
static const char *split_bits(const char *text, char host[INET6_ADDRSTRLEN])
{
    size_t len = strcspn(text, "/");

    /* An overlong address is left empty; inet_pton(3) refuses it then. */
    host[0] = '\0';
    if (len < INET6_ADDRSTRLEN) {
        memcpy(host, text, len);
        host[len] = '\0';
    }
    return text[len] == '/' ? text + len + 1 : NULL;
}

static int family_parse(const char *host, unsigned char bytes[16])
{
    if (inet_pton(AF_INET, host, bytes) == 1)
        return AF_INET;
    if (inet_pton(AF_INET6, host, bytes) == 1)
        return AF_INET6;
    return AF_UNSPEC;
}

static int parse_prefix_length(const char *text, int family, unsigned *ret_bits,
                               const char **ret_why)
{
    long max = family == AF_INET ? 32 : 128;
    long bits = max;

    if (text && number_parse(text, 0, max, &bits) < 0)
        return fail(family == AF_INET ? "the prefix length is not a number from 0 to 32"
                                      : "the prefix length is not a number from 0 to 128",
                    ret_why);
    *ret_bits = (unsigned)bits;
    return 0;
}

static bool has_bits_beyond(const unsigned char bytes[16], unsigned bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if (bytes[i / 8] & (0x80U >> (i % 8)))
            return true;
    }
    return false;
}

/* Peers are compared as IPv4 when they are mapped, so a mapped network must be IPv4 as well. */
static void unmap(struct network *network)
{
    if (network->family != AF_INET6 || network->bits < MAPPED_BITS ||
        memcmp(network->prefix, mapped_prefix, MAPPED_BYTES) != 0)
        return;
    network->family = AF_INET;
    network->bits -= MAPPED_BITS;
    memmove(network->prefix, network->prefix + MAPPED_BYTES, 4);
    memset(network->prefix + 4, 0, sizeof(network->prefix) - 4);
}

int network_parse(const char *text, struct network *ret_network, const char **ret_why)
{
    struct network network = {.family = AF_UNIX};
    char host[INET6_ADDRSTRLEN];
    const char *bits;
    int r;

    if (strcmp(text, "unix") == 0) {
        *ret_network = network;
        return 0;
    }
    bits = split_bits(text, host);
    network.family = family_parse(host, network.prefix);
    if (network.family == AF_UNSPEC)
        return fail("it is not an IPv4 or IPv6 network, or \"unix\"", ret_why);
    r = parse_prefix_length(bits, network.family, &network.bits, ret_why);
    if (r < 0)
        return r;
    if (has_bits_beyond(network.prefix, network.bits))
        return fail("the address has bits set beyond the prefix length", ret_why);
    unmap(&network);
    *ret_network = network;
    return 0;
}

/* The bytes of an IP address without the mapping, and their family; AF_UNSPEC for anything else. */
static int address_bytes(const struct address *address, const unsigned char **ret_bytes)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;

    switch (address->storage.ss_family) {
    case AF_INET:
        *ret_bytes = (const unsigned char *)&in->sin_addr;
        return AF_INET;
    case AF_INET6:
        *ret_bytes = in6->sin6_addr.s6_addr;
        if (memcmp(*ret_bytes, mapped_prefix, MAPPED_BYTES) != 0)
            return AF_INET6;
        *ret_bytes += MAPPED_BYTES;
        return AF_INET;
    default:
        return AF_UNSPEC;
    }
}

static bool prefix_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;
    unsigned mask = (0xff00U >> rest) & 0xffU;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool network_contains(const struct network *network, const struct address *address)
{
    const unsigned char *bytes = NULL;

    if (network->family == AF_UNIX)
        return address->storage.ss_family == AF_UNIX;
    if (network->family != address_bytes(address, &bytes) || !bytes)
        return false;
    return prefix_equal(network->prefix, bytes, network->bits);
}
