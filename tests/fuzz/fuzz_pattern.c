/*
 * Patterns and requests, a line each, requests as ">METHOD HOST PATH" with "-"
 * for no host. What pattern_compare() and the router say is held against a
 * matcher that tries one pattern after the other.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/percent.h"
#include "conf/conf.h"
#include "conf/pattern.h"
#include "conf/schema.h"
#include "http/handlers/handler.h"
#include "http/router.h"

#define PATTERNS_MAX 12
#define LINE_MAX_LEN 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Patterns of which no two conflict. */
struct world {
    struct conf conf;
    struct conf_route routes[PATTERNS_MAX];
    struct router *router;
};

struct request {
    const char *method;
    const char *host; /* NULL: none */
    const char *path;
};

static const struct handler all = {.conf.methods =
                                       "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, TRACE"};

static void check(int holds)
{
    if (!holds)
        abort();
}

static bool takes_method(const struct conf_pattern *pattern, const char *name)
{
    enum pattern_method method = pattern_method(name, strlen(name));

    if (method == PATTERN_ANY_METHOD)
        return false;
    return pattern->method == PATTERN_ANY_METHOD || pattern->method == method ||
           (pattern->method == PATTERN_GET && method == PATTERN_HEAD);
}

static bool takes_host(const struct conf_pattern *pattern, const char *host)
{
    if (pattern->host_len == 0)
        return true;
    if (host == NULL || strncasecmp(host, pattern->host, pattern->host_len) != 0)
        return false;
    host += pattern->host_len;
    if (pattern->host[0] == '[')
        return true;
    host += *host == '.';
    return *host == '\0' || *host == ':';
}

static bool takes_segment(const struct pattern_segment *segment, const char *text, size_t len)
{
    char decoded[LINE_MAX_LEN + 1];
    size_t decoded_len;

    if (segment->kind == PATTERN_WILDCARD)
        return len > 0;
    return percent_decode(text, len, false, decoded, sizeof(decoded), &decoded_len) == 0 &&
           decoded_len == segment->len && memcmp(decoded, segment->text, decoded_len) == 0;
}

static bool takes_path(const struct conf_pattern *pattern, const char *path)
{
    for (size_t i = 0; i < pattern->n_segments; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];
        size_t len;

        if (*path++ != '/')
            return false;
        if (segment->kind == PATTERN_REST)
            return true;
        if (segment->kind == PATTERN_END)
            return *path == '\0';
        len = strcspn(path, "/");
        if (!takes_segment(segment, path, len))
            return false;
        path += len;
    }
    return *path == '\0';
}

static bool takes(const struct conf_pattern *pattern, const struct request *request)
{
    return takes_method(pattern, request->method) && takes_host(pattern, request->host) &&
           takes_path(pattern, request->path);
}

static enum router_result find(const struct world *world, const struct request *request,
                               struct router_match *ret, char *redirect)
{
    size_t len = strlen(request->path);
    struct router_query query = {.method = request->method,
                                 .host = request->host,
                                 .host_len = request->host != NULL ? strlen(request->host) : 0,
                                 .path = request->path,
                                 .path_len = len,
                                 .redirect = redirect,
                                 .redirect_size = ROUTER_REDIRECT_SIZE(len)};

    return router_find(world->router, &query, ret);
}

/* It matches, and whatever else matches is more general. */
static void check_found(const struct world *world, const struct request *request,
                        const struct router_match *match)
{
    const struct conf_pattern *found = match->route->conf->parsed;
    const char *end = request->path + strlen(request->path);

    check(takes(found, request));
    for (size_t i = 0; i < world->conf.n_routes; i++) {
        const struct conf_pattern *other = world->routes[i].parsed;

        check(other == found || !takes(other, request) ||
              pattern_compare(found, other) == PATTERN_MORE_SPECIFIC);
    }
    check(match->n_values == found->n_names);
    for (size_t i = 0; i < match->n_values; i++) {
        const struct router_value *value = &match->values[i];
        char *decoded = malloc(value->len + 1);
        size_t len;
        int err;

        check(decoded != NULL);
        check(value->begin > request->path && value->begin + value->len <= end);
        err = router_value_decode(value, decoded, value->len + 1, &len);
        check(err == -EINVAL || (err == 0 && len <= value->len && strlen(decoded) == len));
        free(decoded);
    }
}

/* It leads somewhere, at once, and to this host. */
static void check_redirect(const struct world *world, const struct request *request,
                           const char *path, size_t len)
{
    struct request next = {request->method, request->host, path};
    char *redirect = malloc(ROUTER_REDIRECT_SIZE(len));
    struct router_match match;
    enum router_result result;

    check(redirect != NULL);
    check(len == strlen(path) && path[0] == '/' && path[1] != '/' && strchr(path, '\\') == NULL);
    check(strcmp(path, request->path) != 0 && strcmp(request->method, "CONNECT") != 0);
    result = find(world, &next, &match, redirect);
    check(result == ROUTER_FOUND || result == ROUTER_METHOD);
    free(redirect);
}

/* Exactly the methods in the list get further, but for OPTIONS, which is always in it. */
static void check_methods(const struct world *world, const struct request *request,
                          const char *allow, char *redirect)
{
    for (int i = PATTERN_ANY_METHOD + 1; i < PATTERN_N_METHODS; i++) {
        struct request other = {pattern_method_name((enum pattern_method)i), request->host,
                                request->path};
        struct router_match match;
        enum router_result result = find(world, &other, &match, redirect);

        check(conf_methods_have(allow, other.method) ==
              (i == PATTERN_OPTIONS || result == ROUTER_FOUND || result == ROUTER_REDIRECT));
    }
}

/* Such a path, if not clean, is not matched as it is. */
static bool may_be_unclean(const char *path)
{
    return strstr(path, "//") != NULL || strstr(path, "/.") != NULL ||
           strcasestr(path, "/%2e") != NULL;
}

static void ask(const struct world *world, const struct request *request)
{
    char *redirect = malloc(ROUTER_REDIRECT_SIZE(strlen(request->path)));
    struct router_match match;
    enum router_result result;

    check(redirect != NULL);
    result = find(world, request, &match, redirect);
    if (result == ROUTER_FOUND)
        check_found(world, request, &match);
    else if (result == ROUTER_REDIRECT)
        check_redirect(world, request, redirect, match.redirect_len);
    else if (result == ROUTER_METHOD && !may_be_unclean(request->path))
        check_methods(world, request, match.allow, redirect);
    for (size_t i = 0; i < world->conf.n_routes; i++)
        check(result == ROUTER_FOUND || result == ROUTER_REDIRECT ||
              may_be_unclean(request->path) || !takes(world->routes[i].parsed, request));
    free(redirect);
}

/* What a relation of two patterns promises about any request. */
static void check_relation(const struct conf_pattern *a, const struct conf_pattern *b,
                           const struct request *request)
{
    enum pattern_relation relation = pattern_compare(a, b);
    bool by_a = takes(a, request), by_b = takes(b, request);

    check(relation != PATTERN_EQUAL || by_a == by_b);
    check(relation != PATTERN_DISJOINT || !by_a || !by_b);
    if (strcmp(a->host, b->host) == 0)
        check(relation != PATTERN_MORE_SPECIFIC || !by_a || by_b);
}

static void ask_all(const struct world *world, const struct request *request)
{
    for (size_t i = 0; i < world->conf.n_routes; i++)
        for (size_t j = 0; j < world->conf.n_routes; j++)
            check_relation(world->routes[i].parsed, world->routes[j].parsed, request);
    ask(world, request);
}

/* Take "METHOD HOST PATH" or, as pattern_example() has it, "METHOD HOST/path" apart in place. */
static bool split(char *line, char host[], size_t host_size, struct request *ret)
{
    char *rest = strchr(line, ' ');
    char *path = rest != NULL ? strpbrk(rest + 1, " /") : NULL;
    size_t host_len;

    if (path == NULL)
        return false;
    *rest++ = '\0';
    host_len = (size_t)(path - rest);
    if (host_len >= host_size)
        return false;
    memcpy(host, rest, host_len);
    host[host_len] = '\0';
    if (host_len == 0 || (*path == ' ' && strcmp(host, "-") == 0))
        host = NULL;
    *ret = (struct request){line, host, path + (*path == ' ')};
    return true;
}

static void compare(const struct world *world, const struct conf_pattern *a,
                    const struct conf_pattern *b)
{
    static const enum pattern_relation mirrored[] = {
        [PATTERN_EQUAL] = PATTERN_EQUAL,
        [PATTERN_MORE_SPECIFIC] = PATTERN_MORE_GENERAL,
        [PATTERN_MORE_GENERAL] = PATTERN_MORE_SPECIFIC,
        [PATTERN_DISJOINT] = PATTERN_DISJOINT,
        [PATTERN_OVERLAP] = PATTERN_OVERLAP,
    };
    enum pattern_relation relation = pattern_compare(a, b);
    char example[LINE_MAX_LEN * 3];
    char host[LINE_MAX_LEN];
    struct request request;

    check(pattern_compare(b, a) == mirrored[relation]);
    check(pattern_conflicts(a, b) == pattern_conflicts(b, a));
    pattern_example(a, b, example, sizeof(example));
    check((relation == PATTERN_DISJOINT) == (example[0] == '\0'));
    if (relation == PATTERN_DISJOINT)
        return;
    check(split(example, host, sizeof(host), &request));
    check(takes(a, &request) && takes(b, &request));
    ask_all(world, &request);
}

/* Compare the pattern to those that are there, and add it if it goes with them. */
static void add(struct world *world, const char *line)
{
    struct conf_pattern *pattern = NULL;
    const char *why = NULL;
    bool fits = true;
    int err = pattern_parse(line, &pattern, &why);

    check(err == 0 || (err == -EINVAL && pattern == NULL && why != NULL));
    if (err != 0)
        return;
    check(pattern_compare(pattern, pattern) == PATTERN_EQUAL);
    compare(world, pattern, pattern);
    for (size_t i = 0; i < world->conf.n_routes; i++) {
        compare(world, pattern, world->routes[i].parsed);
        fits = fits && !pattern_conflicts(pattern, world->routes[i].parsed);
    }
    if (fits && world->conf.n_routes < PATTERNS_MAX) {
        world->routes[world->conf.n_routes++] =
            (struct conf_route){.parsed = pattern, .handler = &all.conf};
        router_free(world->router);
        check(router_new(&world->conf, &world->router) == 0);
    } else {
        pattern_free(pattern);
    }
}

static void take_line(struct world *world, char *line)
{
    char host[LINE_MAX_LEN];
    struct request request;

    if (strlen(line) >= LINE_MAX_LEN)
        return;
    if (line[0] != '>')
        add(world, line);
    else if (split(line + 1, host, sizeof(host), &request))
        ask_all(world, &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.router = NULL};
    char *text = malloc(size + 1);
    char *rest = text;
    char *line;

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    world.conf.routes = world.routes;
    check(router_new(&world.conf, &world.router) == 0);
    while ((line = strsep(&rest, "\n")) != NULL)
        take_line(&world, line);
    router_free(world.router);
    for (size_t i = 0; i < world.conf.n_routes; i++)
        pattern_free(world.routes[i].parsed);
    free(text);
    return 0;
}
