#include "config.h"

#include "conf/upstreams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/endpoint.h"
#include "conf/fail.h"
#include "conf/resolve.h"
#include "conf/schema.h"
#include "conf/upstream.h"

#define TITLE_BYTES_MAX 64

#define TITLE_CHARS                                                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
    "_.-"

#define EJECT_LATENCY_MIN 2

/* What is being resolved: an upstream, its name, and the name of any server of it. */
struct resolving {
    const struct conf_source *source;
    struct conf_upstream *upstream;
    struct conf_name name;
    struct conf_name server;
};

/* Where the key of the upstream is set; NULL, or nowhere: where the upstream is named. */
static const char *place_of(const struct resolving *resolving, const char *key)
{
    struct conf_name name = resolving->name;
    const struct conf_assignment *winner;

    name.key = key;
    winner = key != NULL ? conf_assignments_winner(resolving->source->list, name) : NULL;
    return winner != NULL ? winner->origin.where
                          : conf_resolve_place(resolving->source->list, name);
}

static int check_upstream_title(const struct resolving *resolving)
{
    const char *title = resolving->name.title;
    size_t len = strlen(title);

    if (len > 0 && len <= TITLE_BYTES_MAX && strspn(title, TITLE_CHARS) == len)
        return 0;
    return conf_fail(resolving->source->error, place_of(resolving, NULL),
                     "upstream \"%.100s\": a title has 1 to %d letters, digits, '_', '.' and '-'",
                     title, TITLE_BYTES_MAX);
}

/* Read the server that `item` names into one that has its title; half full after a failure. */
static int read_server(const struct conf_source *source, const struct conf_assignment *item,
                       struct conf_server *server)
{
    char text[CONF_NAME_SIZE];
    const char *why;

    if (endpoint_parse(server->title, &server->is_name, &server->address, &why) == 0)
        return conf_resolve_options(source, item->name, item->name.section->options, server);
    conf_name_format(item->name, text);
    return conf_fail(source->error, item->origin.where, "%s: %s", text, why);
}

static int add_server(const struct resolving *resolving, const struct conf_assignment *item)
{
    struct conf_upstream *upstream = resolving->upstream;
    struct conf_server *server;
    int rc;

    if (upstream->n_servers == CONF_SERVERS_MAX)
        return conf_fail(resolving->source->error, item->origin.where,
                         "upstream \"%s\": it has more than %d servers", upstream->title,
                         CONF_SERVERS_MAX);
    rc = conf_server_add(upstream, item->name.title, &server);
    return rc < 0 ? rc : read_server(resolving->source, item, server);
}

/* A server that a higher layer replaces must make sense all the same. */
static int check_server(const struct conf_source *source, const struct conf_assignment *item)
{
    struct conf_server server = {.title = (char *)item->name.title};
    int rc = read_server(source, item, &server);

    conf_settings_clear(item->name.section->options, &server);
    return rc;
}

static bool names_server(const struct resolving *resolving, const struct conf_assignment *item)
{
    return item->name.section == resolving->server.section && item->name.key == NULL &&
           strcmp(item->name.outer, resolving->server.outer) == 0;
}

static int read_servers(const struct resolving *resolving)
{
    const struct conf_assignments *list = resolving->source->list;
    enum conf_layer layer = conf_assignments_naming_layer(list, resolving->server);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        const struct conf_assignment *item = &list->items[i];

        if (!names_server(resolving, item))
            continue;
        rc = item->origin.layer == layer ? add_server(resolving, item)
                                         : check_server(resolving->source, item);
    }
    return rc;
}

/* Where the server of that index is named: each naming assignment has become one, in order. */
static const char *place_of_server(const struct resolving *resolving, size_t index)
{
    const struct conf_assignments *list = resolving->source->list;
    enum conf_layer layer = conf_assignments_naming_layer(list, resolving->server);
    const struct conf_assignment *item = list->items;

    for (;; item++)
        if (names_server(resolving, item) && item->origin.layer == layer && index-- == 0)
            return item->origin.where;
}

static bool is_same_server(const struct conf_server *a, const struct conf_server *b)
{
    if (a->is_name || b->is_name)
        return a->is_name && b->is_name && endpoint_same_name(a->title, b->title);
    return address_equal(&a->address, &b->address);
}

static int check_distinct(const struct resolving *resolving)
{
    const struct conf_upstream *upstream = resolving->upstream;

    for (size_t i = 0; i < upstream->n_servers; i++)
        for (size_t j = 0; j < i; j++)
            if (is_same_server(&upstream->servers[i], &upstream->servers[j]))
                return conf_fail(resolving->source->error, place_of_server(resolving, i),
                                 "upstream \"%s\": server \"%.120s\": \"%.120s\" at %.400s is the "
                                 "same server",
                                 upstream->title, upstream->servers[i].title,
                                 upstream->servers[j].title, place_of_server(resolving, j));
    return 0;
}

/* Backups that back nobody up, or servers that are all down, are a slip of the pen. */
static int check_some_serve(const struct resolving *resolving)
{
    const struct conf_upstream *upstream = resolving->upstream;
    size_t backups = 0, downs = 0;

    for (size_t i = 0; i < upstream->n_servers; i++) {
        backups += upstream->servers[i].backup;
        downs += upstream->servers[i].down;
    }
    if (upstream->from_registry)
        return 0;
    if (upstream->n_servers == 0)
        return conf_fail(resolving->source->error, place_of(resolving, NULL),
                         "upstream \"%s\": it has no server", upstream->title);
    if (backups == upstream->n_servers)
        return conf_fail(resolving->source->error, place_of(resolving, NULL),
                         "upstream \"%s\": all servers are backup, one must not be",
                         upstream->title);
    if (downs == upstream->n_servers)
        return conf_fail(resolving->source->error, place_of(resolving, NULL),
                         "upstream \"%s\": all servers are down, one must not be", upstream->title);
    return 0;
}

static int check_eject_latency(const struct resolving *resolving)
{
    long times = resolving->upstream->eject_latency;

    if (times == 0 || times >= EJECT_LATENCY_MIN)
        return 0;
    return conf_fail(
        resolving->source->error, place_of(resolving, "eject_latency"),
        "upstream \"%s\": eject_latency (%ld) must be 0 or at least %d: with less, half "
        "of the servers would be too slow",
        resolving->upstream->title, times, EJECT_LATENCY_MIN);
}

/* What a request line can carry (RFC 9112 section 3.2.1). */
static int check_path(const struct resolving *resolving, struct conf_name name)
{
    const char *path = resolving->upstream->check.path;
    bool is_good = path[0] == '/' || path[0] == '\0';
    const struct conf_assignment *winner;
    char text[CONF_NAME_SIZE];

    for (const char *at = path; *at != '\0'; at++)
        is_good = is_good && *at >= '!' && *at <= '~' && *at != '#';
    if (is_good)
        return 0;
    name.key = "path";
    winner = conf_assignments_winner(resolving->source->list, name);
    conf_name_format(name, text);
    return conf_fail(resolving->source->error, winner != NULL ? winner->origin.where : NULL,
                     "%s: '%.100s' is not a path that begins with '/', without spaces", text, path);
}

static int read_check(const struct resolving *resolving)
{
    struct conf_name name = {.section = conf_section_find("check"), .outer = resolving->name.title};
    void *check = (char *)resolving->upstream + name.section->offset;
    int rc = conf_resolve_options(resolving->source, name, name.section->options, check);

    return rc < 0 ? rc : check_path(resolving, name);
}

static int read_upstream(const struct resolving *resolving)
{
    static int (*const steps[])(const struct resolving *resolving) = {
        check_upstream_title, check_eject_latency, read_check,
        read_servers,         check_some_serve,    check_distinct,
    };
    int rc = conf_resolve_options(resolving->source, resolving->name,
                                  resolving->name.section->options, resolving->upstream);

    for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
        rc = steps[i](resolving);
    return rc;
}

static int add_upstream(const struct conf_source *source, struct conf_name name, struct conf *conf)
{
    struct resolving resolving = {
        .source = source,
        .name = name,
        .server = {.section = conf_section_find("server"), .outer = name.title}};
    int rc;

    if (conf->n_upstreams == CONF_UPSTREAMS_MAX)
        return conf_fail(source->error, place_of(&resolving, NULL),
                         "upstream \"%.100s\": there are %d upstreams already", name.title,
                         CONF_UPSTREAMS_MAX);
    rc = conf_upstream_add(conf, name.title, &resolving.upstream);
    return rc < 0 ? rc : read_upstream(&resolving);
}

int conf_resolve_upstreams(const struct conf_source *source, const struct conf_section *section,
                           struct conf *conf)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->list->n; i++) {
        struct conf_name name = source->list->items[i].name;

        if (name.section == section && name.key == NULL &&
            conf_upstream_find(conf, name.title) == NULL)
            rc = add_upstream(source, name, conf);
    }
    return rc;
}
