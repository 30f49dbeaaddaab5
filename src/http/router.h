/*
 * Which route answers a path. Patterns, as in Go's net/http: "/a" is exact,
 * "/a/" takes everything below it, "/a/{$}" takes just "/a/"; the longest
 * pattern that matches wins.
 */
#ifndef ZOMBIE_HTTP_ROUTER_H
#define ZOMBIE_HTTP_ROUTER_H

#include <stdbool.h>

struct conf;
struct conf_route;
struct handler;
struct router;

struct route {
    const struct conf_route *conf;
    const struct handler *handler;
};

/* Build the table from the routes whose handler exists under conf (borrowed). 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int router_new(const struct conf *conf,
                                                   struct router **ret_router);

/* The route for a decoded path, or NULL; it belongs to the router. */
const struct route *router_find(const struct router *router, const char *path);

/* Free; NULL is fine. */
void router_free(struct router *router);

/* Whether a pattern takes the path: what router_find() asks of each route. */
bool router_matches(const char *pattern, const char *path);

/* Whether `methods`, a list as in Allow, has this method. */
bool router_allows(const char *methods, const char *method);

#endif
