/*
 * Where a server of an upstream is, as people write it: a socket address of
 * base/address.h, or NAME:PORT, whose name is looked up at run time. Pure.
 */
#ifndef ZOMBIE_CONF_ENDPOINT_H
#define ZOMBIE_CONF_ENDPOINT_H

#include <stdbool.h>

#include "base/address.h"

/* Room for the longest endpoint: a name of 253 bytes, a colon, a port. */
#define ENDPOINT_SIZE 260

/*
 * Read ADDR:PORT, [IPv6]:PORT, unix:/path or NAME:PORT from all of `text`. Ports
 * are 1 to 65535. A name has labels of 1 to 63 bytes; one that some resolver
 * takes for a number ("1.2", "0x7f000001": the last label is a number) is
 * refused. Returns 0, sets *ret_is_name and, for an address, fills *ret_address;
 * or -EINVAL with *ret_why set to a constant sentence fragment.
 */
__attribute__((warn_unused_result)) int endpoint_parse(const char *text, bool *ret_is_name,
                                                       struct address *ret_address,
                                                       const char **ret_why);

/* Whether two NAME:PORT that were read are the same: the name in any case, the port as a number. */
bool endpoint_same_name(const char *a, const char *b);

#endif
