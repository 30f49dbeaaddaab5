/*
 * What a server behind the proxy is told about the client, and about the way the
 * message has taken: X-Forwarded-For, -Proto and -Host, Forwarded (RFC 7239) and
 * Via (RFC 9110 section 7.6.3). Pure.
 */
#ifndef ZOMBIE_PROXY_FORWARDED_H
#define ZOMBIE_PROXY_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/bytes.h"
#include "http/slice.h"

/* This server's name in Via. */
#define FORWARDED_PSEUDONYM "zombie-server"

/* The fields that are composed here, and what other names are. */
enum forwarded_field {
    FORWARDED_X_FOR,
    FORWARDED_X_PROTO,
    FORWARDED_X_HOST,
    FORWARDED_STANDARD, /* "Forwarded" */
    FORWARDED_VIA,
    FORWARDED_FIELDS, /* how many there are */
    /*
     * "X_Forwarded_For": to programs that make variables of names it is the one
     * with dashes. Not to be passed on from anybody.
     */
    FORWARDED_DISGUISED = FORWARDED_FIELDS,
    FORWARDED_OTHER,
};

/* The values of all lines of one field, in the order in which they came. */
struct forwarded_values {
    const struct slice *at;
    size_t n;
};

struct forwarded {
    const struct address *client; /* the peer of the connection */
    const char *proto;            /* "http" or "https" */
    struct slice host;            /* that the client has asked for, with its port; may be empty */
    int minor;                    /* of the client's HTTP/1.x */
    bool is_trusted;              /* the client is a proxy that may say where it has this from */
    struct forwarded_values sent[FORWARDED_FIELDS]; /* by the client */
};

/* Which field a name is; all but FORWARDED_OTHER are left out when a request is passed on. */
enum forwarded_field forwarded_field(struct slice name);

/*
 * Add the header lines for a request that is passed on, each with its CRLF. What
 * a client that is not trusted has sent is replaced. What a trusted one has sent
 * is kept: the client's address is appended to X-Forwarded-For and, with host and
 * proto, to Forwarded; X-Forwarded-Proto and -Host stay what they are.
 *
 * A trusted client that speaks one of the two dialects, X-Forwarded-* or
 * Forwarded, is answered in this one alone: the other could only name the proxy
 * itself as the client, and which of two a server believes is not known. A
 * Forwarded that is malformed counts as not sent, since an open quote would
 * swallow what is appended.
 *
 * Addresses are without ports, and IPv4-mapped ones are IPv4. A client on a unix
 * socket has none: it is "unknown" in Forwarded and not in X-Forwarded-For. Via
 * is appended to whoever has sent it: it is there to find loops, and no one
 * trusts it.
 */
void forwarded_add(struct bytes *out, const struct forwarded *forwarded);

/*
 * Add a Via line that appends this server to those of `sent`: of an answer with
 * that minor version that is passed back.
 */
void forwarded_add_via(struct bytes *out, int minor, const struct forwarded_values *sent);

#endif
