/*
 * The URL of a server of a registry (RFC 3986 section 3), read strictly:
 * "[scheme://][user[:password]@]host[:port][/path]". Pure.
 */
#ifndef ZOMBIE_CONF_REGISTRY_URL_H
#define ZOMBIE_CONF_REGISTRY_URL_H

#include <stdbool.h>

#include "conf/registry.h"

/* No URL is longer. */
#define REGISTRY_URL_BYTES_MAX 2048

/* Room for registry_url_mask(). */
#define REGISTRY_URL_MASKED_SIZE (REGISTRY_URL_BYTES_MAX + 16)

/*
 * Read all of `text` as the URL of a registry of that type, which is not NONE and gives the
 * schemes, the first of which may be left out, and the port of a URL without one. User
 * and password are percent-decoded; they have no control characters, and the user no ':'. The path
 * of Eureka may end in "/apps", which is left out. Refused are queries, fragments, empty segments
 * and those that are "." or "..". Returns 0 and fills *ret_url, for registry_url_clear(); or
 * -EINVAL with *ret_why set to a constant sentence fragment; or -ENOMEM.
 */
__attribute__((warn_unused_result)) int registry_url_parse(const char *text,
                                                           enum conf_registry_type type,
                                                           struct registry_url *ret_url,
                                                           const char **ret_why);

/* Free what the URL holds, but for its own memory. */
void registry_url_clear(struct registry_url *url);

/*
 * Write the text, which need not be a URL, for people to see: all that could be user and password
 * is "********", and so is all behind the scheme of one that was cut in its password, which has no
 * '@' and whose port is none. Longer ones are cut.
 */
void registry_url_mask(const char *text, char buf[REGISTRY_URL_MASKED_SIZE]);

/*
 * Whether two URLs that a comma parted may be one, with that comma in its password: the first has
 * no '@', the second has one, and no scheme.
 */
bool registry_url_is_torn(const char *first, const char *second);

#endif
