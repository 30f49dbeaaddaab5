/*
 * Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3) and whether an
 * address lies in one.
 */
#ifndef ZOMBIE_BASE_NETWORK_H
#define ZOMBIE_BASE_NETWORK_H

#include <stdbool.h>

#include "base/address.h"

struct network {
    int family; /* AF_INET, AF_INET6, or AF_UNIX for the word "unix" */
    unsigned char prefix[16];
    unsigned bits;
};

/*
 * Read "10.0.0.0/8", "::1/128", a plain address (all bits), or "unix" (every
 * peer on a unix socket). Bits beyond the prefix length must be zero, so that
 * a typing error does not widen a list. A network of IPv4-mapped addresses
 * ("::ffff:10.0.0.0/104") is stored as the IPv4 one. Returns 0 and fills *ret_network, or
 * -EINVAL with *ret_why set to a constant sentence fragment.
 */
__attribute__((warn_unused_result)) int network_parse(const char *text, struct network *ret_network,
                                                      const char **ret_why);

/*
 * Whether the address lies in the network. An IPv4-mapped IPv6 address counts
 * as IPv4 and only so: "::/0" does not contain it, "0.0.0.0/0" does.
 */
bool network_contains(const struct network *network, const struct address *address);

#endif
