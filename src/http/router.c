#include "config.h"

#include "http/router.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "conf/conf.h"
#include "conf/schema.h"
#include "http/handlers/handler.h"

#define HOST_BYTES_MAX 255

/* Sorted by length, then bytes. */
struct entry {
    const char *text;
    size_t len;
    void *value;
};

struct map {
    struct entry *entries;
    size_t n;
};

/*
 * A place in the patterns of one host and method, behind some segments. The
 * tree has no shared branches, so a look-up comes to each node once at most.
 */
struct node {
    struct map literals; /* of struct node */
    struct node *wildcard;
    const struct route *here; /* the pattern ends without a slash */
    const struct route *end;  /* "/{$}" */
    const struct route *rest; /* "/" or "/{name...}" */
};

struct host {
    struct node *methods[PATTERN_N_METHODS];
};

struct router {
    struct route *routes;
    struct map hosts; /* of struct host */
    struct host any_host;
};

static int compare(const struct entry *entry, const char *text, size_t len)
{
    if (entry->len != len)
        return entry->len < len ? -1 : 1;
    return memcmp(entry->text, text, len);
}

/* Where the text is, or belongs. */
static size_t map_seek(const struct map *map, const char *text, size_t len)
{
    size_t low = 0;
    size_t high = map->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(&map->entries[middle], text, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void *map_find(const struct map *map, const char *text, size_t len)
{
    size_t i = map_seek(map, text, len);
    return i < map->n && compare(&map->entries[i], text, len) == 0 ? map->entries[i].value : NULL;
}

/* The value of the text, which is borrowed; a new one has size bytes, all 0. NULL: no memory. */
static void *map_make(struct map *map, const char *text, size_t len, size_t size)
{
    void *value = map_find(map, text, len);
    if (value != NULL)
        return value;
    struct entry *entries = reallocarray(map->entries, map->n + 1, sizeof *entries);
    if (entries == NULL)
        return NULL;
    map->entries = entries;
    value = calloc(1, size);
    if (value == NULL)
        return NULL;
    size_t i = map_seek(map, text, len);
    memmove(&entries[i + 1], &entries[i], (map->n - i) * sizeof *entries);
    entries[i] = (struct entry){text, len, value};
    map->n++;
    return value;
}

static struct node *make_node(struct node **node)
{
    if (*node == NULL)
        *node = calloc(1, sizeof **node);
    return *node;
}

static int place(struct router *router, const struct route *route)
{
    const struct conf_pattern *pattern = route->conf->parsed;
    struct host *host = pattern->host_len > 0 ? map_make(&router->hosts, pattern->host,
                                                         pattern->host_len, sizeof(struct host))
                                              : &router->any_host;
    struct node *node = host != NULL ? make_node(&host->methods[pattern->method]) : NULL;
    enum pattern_kind last = pattern->segments[pattern->n_segments - 1].kind;
    size_t n = pattern->n_segments - (last == PATTERN_END || last == PATTERN_REST);
    for (size_t i = 0; i < n && node != NULL; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];
        node = segment->kind == PATTERN_WILDCARD
                   ? make_node(&node->wildcard)
                   : map_make(&node->literals, segment->text, segment->len, sizeof(struct node));
    }
    if (node == NULL)
        return -ENOMEM;
    const struct route **leaf = last == PATTERN_END    ? &node->end
                                : last == PATTERN_REST ? &node->rest
                                                       : &node->here;
    if (*leaf == NULL)
        *leaf = route;
    return 0;
}

static unsigned bit(enum pattern_method method)
{
    return 1U << method;
}

/* A pattern without a method takes what its handler takes; one with a method, no more than that. */
static unsigned methods_of(const struct conf_pattern *pattern, const struct handler *handler)
{
    unsigned methods = 0;
    for (unsigned i = PATTERN_ANY_METHOD + 1; i < PATTERN_N_METHODS; i++)
        if (conf_methods_have(handler->conf.methods, pattern_method_name(i)))
            methods |= bit(i);
    if (pattern->method == PATTERN_GET)
        methods &= bit(PATTERN_GET) | bit(PATTERN_HEAD);
    else if (pattern->method != PATTERN_ANY_METHOD)
        methods &= bit(pattern->method);
    return methods;
}

int router_new(const struct conf *conf, struct router **ret_router)
{
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return -ENOMEM;
    router->routes = calloc(conf->n_routes + 1, sizeof *router->routes);
    int err = router->routes != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; i < conf->n_routes && err == 0; i++) {
        const struct conf_route *route = &conf->routes[i];
        const struct handler *handler = handler_of(route->handler);
        if (handler->exists != NULL && !handler->exists(conf))
            continue;
        router->routes[i] = (struct route){route, handler, methods_of(route->parsed, handler)};
        err = place(router, &router->routes[i]);
    }
    if (err != 0)
        router_free(router);
    else
        *ret_router = router;
    return err;
}

static void free_node(struct node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->literals.n; i++)
        free_node(node->literals.entries[i].value);
    free(node->literals.entries);
    free_node(node->wildcard);
    free(node);
}

static void clear_host(struct host *host)
{
    for (size_t i = 0; i < PATTERN_N_METHODS; i++)
        free_node(host->methods[i]);
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    for (size_t i = 0; i < router->hosts.n; i++) {
        clear_host(router->hosts.entries[i].value);
        free(router->hosts.entries[i].value);
    }
    free(router->hosts.entries);
    clear_host(&router->any_host);
    free(router->routes);
    free(router);
}

/* A request on its way through the tables. */
struct lookup {
    const struct router *router;
    const struct host *host; /* NULL: no pattern has the request's host */
    const char *path;
    size_t len;
    bool slashed; /* look for the path with a slash behind it, which it has not */
};

/* Where the segment that begins at `at` ends. */
static size_t segment_end(const char *path, size_t len, size_t at)
{
    const char *slash = memchr(path + at, '/', len - at);
    return slash != NULL ? (size_t)(slash - path) : len;
}

__attribute__((noinline)) static const struct node *find_encoded(const struct map *map,
                                                                 const char *text, size_t len)
{
    char decoded[PATTERN_BYTES_MAX + 1];
    size_t decoded_len;
    int err = percent_decode(text, len, false, decoded, sizeof decoded, &decoded_len);
    return err == 0 ? map_find(map, decoded, decoded_len) : NULL;
}

static const struct node *find_literal(const struct map *map, const char *text, size_t len)
{
    if (map->n == 0)
        return NULL;
    return memchr(text, '%', len) != NULL ? find_encoded(map, text, len) : map_find(map, text, len);
}

/* The most specific of the patterns below the node that match the path from `at`, a slash, on. */
static const struct route *walk(const struct node *node, const struct lookup *lookup, size_t at)
{
    if (node == NULL)
        return NULL;
    if (at == lookup->len && !lookup->slashed)
        return node->here;
    if (at == lookup->len || at + 1 == lookup->len)
        return node->end != NULL ? node->end : node->rest;
    size_t end = segment_end(lookup->path, lookup->len, at + 1);
    const struct node *literal = find_literal(&node->literals, lookup->path + at + 1, end - at - 1);
    const struct route *route = walk(literal, lookup, end);
    if (route == NULL)
        route = walk(node->wildcard, lookup, end);
    return route != NULL ? route : node->rest;
}

static const struct route *match_method(const struct host *host, const struct lookup *lookup,
                                        enum pattern_method method)
{
    const struct route *route = NULL;
    if (method != PATTERN_ANY_METHOD)
        route = walk(host->methods[method], lookup, 0);
    if (route == NULL && method == PATTERN_HEAD)
        route = walk(host->methods[PATTERN_GET], lookup, 0);
    return route != NULL ? route : walk(host->methods[PATTERN_ANY_METHOD], lookup, 0);
}

static const struct route *match(const struct lookup *lookup, enum pattern_method method)
{
    const struct route *route = NULL;
    if (lookup->host != NULL)
        route = match_method(lookup->host, lookup, method);
    return route != NULL ? route : match_method(&lookup->router->any_host, lookup, method);
}

/* Whether no more than a slash is left to the end of the route's pattern, which matches. */
static bool is_exact(const struct route *route, const struct lookup *lookup)
{
    const struct conf_pattern *pattern = route->conf->parsed;
    if (pattern->segments[pattern->n_segments - 1].kind != PATTERN_REST)
        return true;
    if (!lookup->slashed && lookup->path[lookup->len - 1] != '/')
        return false;
    size_t slashes = lookup->slashed;
    for (size_t at = 0; at < lookup->len; at++)
        slashes += lookup->path[at] == '/';
    return slashes == pattern->n_segments;
}

static bool takes(const struct route *route, enum pattern_method method)
{
    return (route->methods & bit(method)) != 0;
}

/* Whether a route takes the path with a slash behind it, and takes nothing of what lies below. */
static bool ends_with_slash(const struct lookup *lookup, enum pattern_method method)
{
    struct lookup slashed = *lookup;
    slashed.slashed = true;
    const struct route *route = match(&slashed, method);
    return route != NULL && takes(route, method) && is_exact(route, &slashed);
}

/* What one method finds, its route in *ret. METHOD: the route there does not take it. */
static enum router_result resolve(const struct lookup *lookup, enum pattern_method method,
                                  const struct route **ret)
{
    const struct route *route = match(lookup, method);
    *ret = route;
    if (lookup->path[lookup->len - 1] != '/' && (route == NULL || !is_exact(route, lookup)) &&
        ends_with_slash(lookup, method))
        return ROUTER_REDIRECT;
    if (route == NULL)
        return ROUTER_NOT_FOUND;
    return takes(route, method) ? ROUTER_FOUND : ROUTER_METHOD;
}

static void append(char *allow, enum pattern_method method)
{
    size_t used = strlen(allow);
    const char *name = pattern_method_name(method);
    size_t len = strlen(name);
    assert(used + 2 + len < ROUTER_ALLOW_SIZE);
    if (used > 0) {
        memcpy(allow + used, ", ", 2);
        used += 2;
    }
    memcpy(allow + used, name, len + 1);
}

/* The methods that lead to an answer, and OPTIONS. Returns whether there is a route for any. */
static bool list_methods(const struct lookup *lookup, char *allow)
{
    bool exists = false;
    allow[0] = '\0';
    for (unsigned method = PATTERN_ANY_METHOD; method < PATTERN_N_METHODS; method++) {
        const struct route *route;
        enum router_result result = resolve(lookup, method, &route);
        exists |= result != ROUTER_NOT_FOUND;
        if (method == PATTERN_OPTIONS || result == ROUTER_FOUND || result == ROUTER_REDIRECT)
            append(allow, method);
    }
    return exists;
}

static void bind_values(const struct conf_pattern *pattern, const struct lookup *lookup,
                        struct router_match *ret)
{
    size_t at = 0;
    for (size_t i = 0; ret->n_values < pattern->n_names; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];
        size_t begin = at + 1;
        at = segment->kind == PATTERN_REST ? lookup->len
                                           : segment_end(lookup->path, lookup->len, begin);
        if (segment->kind != PATTERN_LITERAL)
            ret->values[ret->n_values++] =
                (struct router_value){segment->text, lookup->path + begin, at - begin};
    }
}

/* What a clean path comes to. */
static enum router_result find_clean(const struct lookup *lookup, enum pattern_method method,
                                     struct router_match *ret)
{
    enum router_result result = resolve(lookup, method, &ret->route);
    if (result == ROUTER_FOUND) {
        ret->n_values = 0;
        bind_values(ret->route->conf->parsed, lookup, ret);
    } else if (result != ROUTER_REDIRECT) {
        result = list_methods(lookup, ret->allow) ? ROUTER_METHOD : ROUTER_NOT_FOUND;
    }
    return result;
}

/* 1 for a segment ".", 2 for "..", encoded or not; else 0. */
static int count_dots(const char *segment, size_t len)
{
    int dots = 0;
    for (size_t i = 0; i < len; dots++) {
        bool encoded = i + 2 < len && segment[i] == '%' && segment[i + 1] == '2' &&
                       (segment[i + 2] == 'e' || segment[i + 2] == 'E');
        if ((segment[i] != '.' && !encoded) || dots == 2)
            return 0;
        i += encoded ? 3 : 1;
    }
    return dots;
}

/* Whether the path has neither empty segments nor dots to resolve. */
static bool is_clean(const char *path, size_t len)
{
    for (size_t at = 0; at + 1 < len;) {
        size_t end = segment_end(path, len, at + 1);
        if (end == at + 1 || count_dots(path + at + 1, end - at - 1) > 0)
            return false;
        at = end;
    }
    return true;
}

/* Write the path without them (RFC 3986 section 5.2.4, and "//"), no longer than it was. */
static size_t clean(const char *path, size_t len, char *out)
{
    size_t used = 0;
    for (size_t at = 0, end; at < len; at = end) {
        end = segment_end(path, len, at + 1);
        int dots = count_dots(path + at + 1, end - at - 1);
        if (dots == 0 && end > at + 1) {
            memcpy(out + used, path + at, end - at);
            used += end - at;
        }
        while (dots == 2 && used > 0 && out[--used] != '/')
            ;
    }
    if (used == 0 || path[len - 1] == '/')
        out[used++] = '/';
    return used;
}

/* The path of the lookup, with a slash if it lacks one, is where to go. */
static enum router_result redirect(const struct router_query *query, const struct lookup *lookup,
                                   bool slash, struct router_match *ret)
{
    size_t len = lookup->len;
    if (len + 1 >= query->redirect_size)
        return ROUTER_NOT_FOUND;
    memmove(query->redirect, lookup->path, len);
    if (slash)
        query->redirect[len++] = '/';
    /* Above all a backslash: browsers take it for a slash, and two slashes for another host. */
    ret->redirect_len = pattern_escape(query->redirect, len, query->redirect_size, "/%");
    return ret->redirect_len > 0 ? ROUTER_REDIRECT : ROUTER_NOT_FOUND;
}

size_t router_host_length(const char *host, size_t len)
{
    const char *end = len > 0 && host[0] == '[' ? memchr(host, ']', len) : NULL;
    if (end != NULL)
        return (size_t)(end + 1 - host);
    end = len > 0 ? memchr(host, ':', len) : NULL;
    size_t name = end != NULL ? (size_t)(end - host) : len;
    return name > 0 && host[name - 1] == '.' ? name - 1 : name;
}

static const struct host *find_host(const struct router *router, const struct router_query *query)
{
    char host[HOST_BYTES_MAX];
    if (query->host_len == 0 || router->hosts.n == 0)
        return NULL;
    size_t len = router_host_length(query->host, query->host_len);
    if (len == 0 || len > sizeof host)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = query->host[i];
        host[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return map_find(&router->hosts, host, len);
}

enum router_result router_find(const struct router *router, const struct router_query *query,
                               struct router_match *ret)
{
    if (query->path_len == 0 || query->path[0] != '/')
        return ROUTER_NOT_FOUND;
    struct lookup lookup = {router, find_host(router, query), query->path, query->path_len, false};
    enum pattern_method method = pattern_method(query->method, strlen(query->method));
    bool is_final = is_clean(query->path, query->path_len) || strcmp(query->method, "CONNECT") == 0;
    if (!is_final && query->redirect_size <= query->path_len)
        return ROUTER_NOT_FOUND;
    if (!is_final) {
        lookup.path = query->redirect;
        lookup.len = clean(query->path, query->path_len, query->redirect);
    }
    enum router_result result = find_clean(&lookup, method, ret);
    if (result == ROUTER_REDIRECT || (!is_final && result != ROUTER_NOT_FOUND))
        return redirect(query, &lookup, result == ROUTER_REDIRECT, ret);
    return result;
}

struct router_value router_below(const struct route *route, const char *path, size_t path_len)
{
    const struct conf_pattern *pattern = route->conf->parsed;
    size_t begin = 1;
    for (size_t i = 1; i < pattern->n_segments; i++)
        begin = segment_end(path, path_len, begin) + 1;
    return (struct router_value){"", path + begin, path_len - begin};
}

int router_value_decode(const struct router_value *value, char *buf, size_t size, size_t *ret_len)
{
    return percent_decode(value->begin, value->len, false, buf, size, ret_len);
}
