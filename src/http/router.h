/*
 * Which route answers a request, by the rules of Go's ServeMux: of the patterns
 * (conf/pattern.h) that match the most specific one, and redirects to the
 * cleaned path or to the one with a slash behind it. A look-up allocates
 * nothing and keeps nothing.
 */
#ifndef ZOMBIE_HTTP_ROUTER_H
#define ZOMBIE_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/pattern.h"

struct conf;
struct conf_route;
struct handler;
struct router;

struct route {
    const struct conf_route *conf;
    const struct handler *handler;
    unsigned methods; /* that pattern and handler take, as bits 1 << enum pattern_method */
};

enum router_result {
    ROUTER_FOUND,    /* the route serves this request */
    ROUTER_REDIRECT, /* the client shall ask for another path */
    ROUTER_METHOD,   /* the path is served, but by other methods; also for OPTIONS */
    ROUTER_NOT_FOUND
};

struct router_query {
    const char *method;
    const char *host; /* as in Host, port and all; needs no NUL */
    size_t host_len;  /* 0: none */
    const char *path; /* still percent-encoded, without query, its escapes good; needs no NUL */
    size_t path_len;
    char *redirect; /* the caller's room for the path of a redirect */
    size_t redirect_size;
};

/* Room that is enough for any redirect from a path of that length. */
#define ROUTER_REDIRECT_SIZE(path_len) (3 * (path_len) + 2)

/* A piece of the path, still percent-encoded; it may well hold "%2F" or "..%2F". */
struct router_value {
    const char *name; /* of the wildcard, from the pattern */
    const char *begin;
    size_t len;
};

/* Room for all methods as in Allow, and their NUL. */
#define ROUTER_ALLOW_SIZE 64

/* Only what belongs to the result is set. */
struct router_match {
    const struct route *route; /* FOUND; it belongs to the router */
    size_t n_values;           /* FOUND */
    struct router_value values[PATTERN_NAMES_MAX];
    char allow[ROUTER_ALLOW_SIZE]; /* METHOD: for Allow, "GET, HEAD, OPTIONS", in this order */
    size_t redirect_len;           /* REDIRECT: of the text in query->redirect, NUL not counted */
};

/*
 * Build the tables from the routes whose handler exists under conf, which is
 * borrowed. The routes are parsed and do not conflict; of equal ones the first
 * counts. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int router_new(const struct conf *conf,
                                                   struct router **ret_router);

/* Free; NULL is fine. */
void router_free(struct router *router);

/*
 * What to do with a request. Segments are compared one by one, percent-decoded,
 * so "%2F" parts none; "%2e" counts as the dot that it is. A path with "//",
 * "/./" or "/../" is redirected to the one without, if there is a route for it
 * and whatever its methods; "/a" to "/a/", if a route that takes the method ends
 * there and none at "/a". CONNECT is never redirected. A path that begins with
 * no '/' ("*") is NOT_FOUND, and so is a redirect without room; a pattern with
 * the request's host goes before one without.
 *
 * A redirect is a path whose every byte may stand in Location (RFC 3986 section
 * 3.3) and which begins with one slash only, so that it leads to no other host;
 * the caller adds the query.
 */
__attribute__((warn_unused_result)) enum router_result router_find(const struct router *router,
                                                                   const struct router_query *query,
                                                                   struct router_match *ret);

/*
 * What the route leaves to its handler of a path that it has matched: what its
 * "{name...}" or slash at the end takes, or else the last segment. Without a name.
 */
struct router_value router_below(const struct route *route, const char *path, size_t path_len);

/*
 * Percent-decode a value into buf of size bytes, with a NUL at the end; len + 1
 * are enough. Returns 0, and sets *ret_len, or -EINVAL or -ENOSPC as
 * percent_decode().
 */
__attribute__((warn_unused_result)) int
router_value_decode(const struct router_value *value, char *buf, size_t size, size_t *ret_len);

/*
 * How much of the len bytes in Host is the name: without port and without the
 * dot of the root zone; an IPv6 address with its brackets.
 */
size_t router_host_length(const char *host, size_t len);

#endif
