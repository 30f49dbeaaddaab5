#include "config.h"

#include "conf/routes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/assignments.h"
#include "conf/fail.h"
#include "conf/pattern.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/value.h"

/*
 * A built-in route is for GET and HEAD, so that it stays beside a "GET /" of the
 * user's and leaves POST to a "/{name}"; but the killer obeys POST, and no HEAD.
 */
static int read_built_in(const struct conf_route *route, struct conf_pattern **ret_parsed)
{
    const char *why;
    char *text = NULL;
    bool reads = conf_methods_have(route->handler->methods, "HEAD");
    int rc;

    if (asprintf(&text, "%s%s", reads ? "GET " : "", route->pattern) < 0)
        return -ENOMEM;
    rc = pattern_parse(text, ret_parsed, &why);
    free(text);
    return rc;
}

/* Refuse a pattern whose every request would be answered 405. */
static int check_method(const struct conf_source *source, struct conf_name name,
                        const struct conf_route *route)
{
    enum pattern_method method = route->parsed->method;
    const char *methods = route->handler->methods;

    if (method == PATTERN_ANY_METHOD || conf_methods_have(methods, pattern_method_name(method)))
        return 0;
    return conf_fail(source->error, conf_resolve_place(source->list, name),
                     "route \"%.200s\": handler %s takes %s only", name.title, route->handler->name,
                     methods);
}

static int read_pattern(const struct conf_source *source, struct conf_name name,
                        struct conf_route *route)
{
    const char *why = NULL;
    int rc;

    if (conf_assignments_are_built_in(source->list, name))
        return read_built_in(route, &route->parsed);
    rc = pattern_parse(route->pattern, &route->parsed, &why);
    if (rc == -EINVAL)
        return conf_fail(source->error, conf_resolve_place(source->list, name),
                         "route \"%.200s\": %s", name.title, why);
    return rc < 0 ? rc : check_method(source, name, route);
}

/* Set *ret_handler to what the route's selector says. */
static int find_handler(const struct conf_source *source, struct conf_name name,
                        const struct conf_handler **ret_handler)
{
    const struct conf_assignment *chosen;
    char text[CONF_NAME_SIZE];

    name.key = name.section->selector;
    conf_name_format(name, text);
    chosen = conf_assignments_newest(source->list, name);
    if (chosen == NULL)
        return conf_fail(source->error, conf_resolve_place(source->list, name), "%s is missing",
                         text);
    *ret_handler = conf_handler_find(source->handlers, chosen->values.items[0]);
    if (*ret_handler == NULL)
        return conf_fail(source->error, chosen->origin.where, "%s: there is no handler '%.100s'",
                         text, chosen->values.items[0]);
    return 0;
}

/* Refuse what is said about the route and would mean something to another handler only. */
static int check_keys(const struct conf_source *source, struct conf_name name,
                      const struct conf_handler *handler)
{
    enum conf_layer floor = conf_assignments_floor(source->list, name);

    for (size_t i = 0; i < source->list->n; i++) {
        const struct conf_assignment *item = &source->list->items[i];

        if (item->name.section != name.section || strcmp(item->name.title, name.title) != 0 ||
            item->name.key == NULL || item->origin.layer < floor ||
            conf_option_find(name.section->options, item->name.key) != NULL)
            continue;
        if (conf_option_find(handler->options, item->name.key) == NULL)
            return conf_fail(source->error, item->origin.where,
                             "route \"%.120s\": %s is not an option of handler %s", name.title,
                             item->name.key, handler->name);
    }
    return 0;
}

static int check_settings(const struct conf_source *source, struct conf_name name,
                          const struct conf_route *route)
{
    const char *why = NULL;

    if (route->handler->check != NULL)
        why = route->handler->check(route->settings);
    if (why == NULL)
        return 0;
    return conf_fail(source->error, conf_resolve_place(source->list, name), "route \"%.200s\": %s",
                     name.title, why);
}

static int read_settings(const struct conf_source *source, struct conf_name name,
                         struct conf_route *route)
{
    int rc = check_keys(source, name, route->handler);
    if (rc == 0)
        rc = conf_resolve_options(source, name, name.section->options, route);
    if (rc < 0)
        return rc;

    /* One byte more, so that a handler without settings has some memory too. */
    route->settings = calloc(1, route->handler->settings_size + 1);
    if (route->settings == NULL)
        return -ENOMEM;
    rc = conf_resolve_options(source, name, route->handler->options, route->settings);
    return rc < 0 ? rc : check_settings(source, name, route);
}

/* Add the route of that name; half full after a failure. */
static int add_route(const struct conf_source *source, struct conf_name name, struct conf *conf)
{
    struct conf_route *routes = reallocarray(conf->routes, conf->n_routes + 1, sizeof(*routes));
    struct conf_route *route;
    int rc;

    if (routes == NULL)
        return -ENOMEM;
    conf->routes = routes;
    route = &routes[conf->n_routes++];
    *route = (struct conf_route){.pattern = strdup(name.title)};
    if (route->pattern == NULL)
        return -ENOMEM;
    rc = find_handler(source, name, &route->handler);
    if (rc < 0)
        return rc;
    assert(route->handler != NULL);
    rc = read_pattern(source, name, route);
    return rc < 0 ? rc : read_settings(source, name, route);
}

static bool has_route(const struct conf *conf, const char *pattern)
{
    for (size_t i = 0; i < conf->n_routes; i++)
        if (strcmp(conf->routes[i].pattern, pattern) == 0)
            return true;
    return false;
}

static bool gives_way(const struct conf_source *source, const struct conf_section *section,
                      const struct conf_route *route)
{
    return conf_assignments_are_built_in(
        source->list, (struct conf_name){.section = section, .title = route->pattern});
}

static int refuse_conflict(const struct conf_source *source, const struct conf_section *section,
                           const struct conf_route *route, const struct conf_route *before)
{
    struct conf_name name = {.section = section, .title = route->pattern};
    struct conf_name name_before = {.section = section, .title = before->pattern};
    char example[CONF_NAME_SIZE];

    pattern_example(route->parsed, before->parsed, example, sizeof(example));
    return conf_fail(source->error, conf_resolve_place(source->list, name),
                     "route \"%.120s\" conflicts with route \"%.120s\" at %.300s: both match "
                     "\"%.120s\", and neither is more specific",
                     route->pattern, before->pattern, conf_resolve_place(source->list, name_before),
                     example);
}

static void drop_route(struct conf *conf, size_t index)
{
    conf_route_clear(&conf->routes[index]);
    memmove(&conf->routes[index], &conf->routes[index + 1],
            (conf->n_routes - index - 1) * sizeof(conf->routes[0]));
    conf->n_routes--;
}

static bool is_root(const struct conf_pattern *pattern, enum pattern_kind kind)
{
    return pattern->n_segments == 1 && pattern->segments[0].kind == kind;
}

static bool is_same_path(const struct conf_pattern *a, const struct conf_pattern *b)
{
    if (a->n_segments != b->n_segments)
        return false;
    for (size_t i = 0; i < a->n_segments; i++)
        if (a->segments[i].kind != b->segments[i].kind ||
            (a->segments[i].kind == PATTERN_LITERAL &&
             strcmp(a->segments[i].text, b->segments[i].text) != 0))
            return false;
    return true;
}

/*
 * Whether nobody expects the built-in route beside this one: it has the same
 * path, or it is a "/", and then "/{$}" is no place for our page.
 */
static bool is_outdone(const struct conf_route *built_in, const struct conf_route *route)
{
    const struct conf_pattern *ours = built_in->parsed, *theirs = route->parsed;
    bool reads = theirs->method == PATTERN_ANY_METHOD || theirs->method == PATTERN_GET;
    bool ends = is_root(ours, PATTERN_END) && is_root(theirs, PATTERN_REST);

    return reads && theirs->host_len == 0 && (ends || is_same_path(ours, theirs));
}

/* The first route before the one at `index` that it conflicts with; `index` itself: none. */
static size_t find_conflict(const struct conf *conf, size_t index)
{
    size_t i = 0;

    while (i < index && !pattern_conflicts(conf->routes[i].parsed, conf->routes[index].parsed))
        i++;
    return i;
}

/* Built-in routes come first in the list, as their layer does, and give way to all others. */
static void drop_outdone(const struct conf_source *source, const struct conf_section *section,
                         struct conf *conf)
{
    for (size_t i = 0; i < conf->n_routes; i++)
        for (size_t j = i + 1; j < conf->n_routes; j++)
            if (gives_way(source, section, &conf->routes[i]) &&
                is_outdone(&conf->routes[i], &conf->routes[j])) {
                drop_route(conf, i);
                j = i;
            }
}

static int settle_conflicts(const struct conf_source *source, const struct conf_section *section,
                            struct conf *conf)
{
    size_t i = 0;

    while (i < conf->n_routes) {
        size_t before = find_conflict(conf, i);

        if (before == i) {
            i++;
            continue;
        }
        if (gives_way(source, section, &conf->routes[before]))
            drop_route(conf, before);
        else if (gives_way(source, section, &conf->routes[i]))
            drop_route(conf, i);
        else
            return refuse_conflict(source, section, &conf->routes[i], &conf->routes[before]);
        i = before; /* those behind it have moved, and are judged again */
    }
    return 0;
}

int conf_resolve_routes(const struct conf_source *source, const struct conf_section *section,
                        struct conf *conf)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->list->n; i++) {
        struct conf_name name = source->list->items[i].name;

        if (name.section == section && !has_route(conf, name.title))
            rc = add_route(source, name, conf);
    }
    if (rc < 0)
        return rc;
    drop_outdone(source, section, conf);
    return settle_conflicts(source, section, conf);
}

/* Where the key is set that a reason such as "upstream: there is none" begins with. */
static const char *place_of_reason(const struct conf_source *source, struct conf_name name,
                                   const char *why)
{
    const struct conf_assignment *winner = NULL;
    char *key = strndup(why, strcspn(why, ":"));

    name.key = key;
    if (key != NULL)
        winner = conf_assignments_winner(source->list, name);
    free(key);
    return winner != NULL ? winner->origin.where : conf_resolve_place(source->list, name);
}

int conf_resolve_references(const struct conf_source *source, struct conf *conf)
{
    struct conf_name name = {.section = conf_section_find("route")};
    char why[CONF_WHY_SIZE] = "";
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < conf->n_routes; i++) {
        const struct conf_route *route = &conf->routes[i];

        name.title = route->pattern;
        if (route->handler->resolve != NULL)
            rc = route->handler->resolve(conf, route->settings, why);
    }
    if (rc != -EINVAL)
        return rc;
    return conf_fail(source->error, place_of_reason(source, name, why), "route \"%.200s\": %s",
                     name.title, why);
}
