#include "config.h"

#include "http/router.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "http/handlers/handler.h"

static const char only_itself[] = "{$}";
#define ONLY_ITSELF_LEN (sizeof only_itself - 1)

struct router {
    struct route *routes; /* the longest pattern first */
    size_t n;
};

static bool ends_with_only_itself(const char *pattern, size_t len)
{
    return len >= ONLY_ITSELF_LEN && strcmp(pattern + len - ONLY_ITSELF_LEN, only_itself) == 0;
}

/* Longer patterns are narrower; "/a/{$}" is longer than "/a/" and so comes first. */
static int by_length(const void *a, const void *b)
{
    size_t left = strlen(((const struct route *)a)->conf->pattern);
    size_t right = strlen(((const struct route *)b)->conf->pattern);
    return left < right ? 1 : left > right ? -1 : 0;
}

int router_new(const struct conf *conf, struct router **ret_router)
{
    struct router *router = calloc(1, sizeof *router);
    struct route *routes = calloc(conf->n_routes + 1, sizeof *routes);
    if (router == NULL || routes == NULL) {
        free(router);
        free(routes);
        return -ENOMEM;
    }
    router->routes = routes;
    for (size_t i = 0; i < conf->n_routes; i++) {
        const struct handler *handler = handler_of(conf->routes[i].handler);
        if (handler->exists == NULL || handler->exists(conf))
            routes[router->n++] = (struct route){&conf->routes[i], handler};
    }
    qsort(routes, router->n, sizeof *routes, by_length);
    *ret_router = router;
    return 0;
}

bool router_matches(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);
    if (ends_with_only_itself(pattern, len))
        return strlen(path) == len - ONLY_ITSELF_LEN &&
               strncmp(pattern, path, len - ONLY_ITSELF_LEN) == 0;
    if (len > 0 && pattern[len - 1] == '/')
        return strncmp(pattern, path, len) == 0;
    return strcmp(pattern, path) == 0;
}

const struct route *router_find(const struct router *router, const char *path)
{
    for (size_t i = 0; i < router->n; i++)
        if (router_matches(router->routes[i].conf->pattern, path))
            return &router->routes[i];
    return NULL;
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    free(router->routes);
    free(router);
}

bool router_allows(const char *methods, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = methods; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if (word == len && strncmp(at, method, len) == 0)
            return true;
        at += word;
        at += strspn(at, ", ");
    }
    return false;
}
