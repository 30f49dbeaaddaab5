/*
 * The URL of a server that requests are passed on to: "http://host:port/base"
 * (RFC 3986 section 3), read strictly. Pure.
 */
#ifndef ZOMBIE_CONF_URL_H
#define ZOMBIE_CONF_URL_H

#include "conf/endpoint.h"

/* No base is longer. */
#define URL_BASE_BYTES_MAX 1024

struct url {
    char host_port[ENDPOINT_SIZE]; /* as endpoint_parse() reads it, names in lower case */
    const char *base;              /* within the text: "" or a path */
};

/*
 * Read all of `text`, which must outlive *ret_url. The scheme is http, in any
 * case; the port is 80 when there is none. Refused are user names, queries,
 * fragments, segments "." and ".." (encoded, too), and what must be
 * percent-encoded. Returns 0, or -EINVAL with *ret_why set to a constant sentence
 * fragment.
 */
__attribute__((warn_unused_result)) int url_parse(const char *text, struct url *ret_url,
                                                  const char **ret_why);

/* Whether all of it can be a base: "" or a path, as above. Returns 0, or -EINVAL with *ret_why set.
 */
__attribute__((warn_unused_result)) int url_check_base(const char *base, const char **ret_why);

#endif
