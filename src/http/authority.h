/*
 * "host[:port]" of Host fields and absolute targets, checked (RFC 3986 section
 * 3.2.2 and 3.2.3, less what could be understood in two ways). Pure.
 */
#ifndef ZOMBIE_HTTP_AUTHORITY_H
#define ZOMBIE_HTTP_AUTHORITY_H

#include <stdbool.h>

#include "http/slice.h"

struct authority {
    struct slice name; /* without the port; an IPv6 address with its brackets */
    unsigned port;     /* 1 to 65535; 80 when none is given */
};

/*
 * Take an authority apart. Names are letters, digits and -._~!$&'()*+;= with
 * no empty label but the last; neither userinfo nor escapes nor zone ids. Returns
 * false for anything else, the empty text among it.
 */
__attribute__((warn_unused_result)) bool authority_parse(struct slice text,
                                                         struct authority *ret_authority);

/* Whether both name the same server: letters in any case, port 80 the same as none. */
bool authority_equal(const struct authority *a, const struct authority *b);

#endif
