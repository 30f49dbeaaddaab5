/*
 * Header fields that concern one connection and are not passed on (RFC 9110
 * section 7.6.1), in requests and answers alike. Pure.
 */
#ifndef ZOMBIE_PROXY_HOP_BY_HOP_H
#define ZOMBIE_PROXY_HOP_BY_HOP_H

#include <stdbool.h>
#include <stddef.h>

#include "http/slice.h"

/*
 * Whether the field of that name stays here. `connections` are the values of all
 * n Connection fields of the same message: what they name stays here too.
 *
 * Proxy-Authenticate and Proxy-Authorization are in, as with Go's ReverseProxy,
 * though nginx passes them: they are between a client and a proxy of its choice,
 * which this server is not, and no server behind it should learn the
 * credentials. Trailer is passed, other than there: who passes trailers passes
 * their announcement; who cannot, as to HTTP/1.0, drops both. TE and Upgrade are
 * in whatever they say; who passes on "TE: trailers" or an upgrade writes them
 * anew, with a Connection of its own: see hop_by_hop_names().
 *
 * A sender may name anything in Connection, Content-Length and Host too: fields
 * that the proxy must have are written by itself, not passed if this says so.
 */
bool hop_by_hop(const struct slice *name, const struct slice *connections, size_t n);

/*
 * Whether one of the n comma-separated lists has `lower`, which has no capitals,
 * in any case of letters: "upgrade" in the Connection fields, "trailers" in TE.
 */
bool hop_by_hop_names(const struct slice *lists, size_t n, const char *lower);

#endif
