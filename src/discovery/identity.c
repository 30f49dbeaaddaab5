#include "config.h"

#include "discovery/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/pattern.h"
#include "discovery/advertise.h"

/* Longer than any path of a pattern and its method. */
#define ROUTE_SIZE (PATTERN_BYTES_MAX + 16)

/* What clients of a route send first of all: the method of its pattern, or its handler's first. */
static int add_route(struct conf_list *list, const struct conf_route *route)
{
    const char *methods = route->handler->methods;
    const char *path = strchr(route->pattern, '/');
    char text[ROUTE_SIZE];
    int len;
    if (route->parsed->method != PATTERN_ANY_METHOD)
        len = snprintf(text, sizeof text, "%s%s", pattern_method_name(route->parsed->method), path);
    else
        len = snprintf(text, sizeof text, "%.*s%s", (int)strcspn(methods, ","), methods, path);
    return conf_list_add(list, text, len < ROUTE_SIZE ? (size_t)len : ROUTE_SIZE - 1);
}

static int add_routes(const struct conf *conf, struct conf_list *list)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < conf->n_routes; i++)
        err = add_route(list, &conf->routes[i]);
    return err;
}

static unsigned choose_port(const struct conf_registry *registry, const struct address *listener)
{
    if (registry->advertise_port > 0)
        return (unsigned)registry->advertise_port;
    return listener != NULL ? (unsigned)address_port(listener) : 0;
}

static void choose_host(const struct conf_registry *registry, const struct address *listener,
                        char host[MEMBER_HOST_SIZE])
{
    struct address anywhere = {.len = 0};
    if (registry->advertise_host[0] != '\0')
        snprintf(host, MEMBER_HOST_SIZE, "%s", registry->advertise_host);
    else
        advertise_host(listener != NULL ? listener : &anywhere, &registry->urls[0], host);
}

static uint64_t key_of(const struct conf_registry *registry, const struct identity *identity)
{
    uint64_t key = hash_bytes(HASH_BEGIN, &registry->type, sizeof registry->type);
    key = hash_text(key, registry->prefix);
    key = hash_text(key, identity->app);
    key = hash_text(key, identity->host);
    key = hash_bytes(key, &identity->port, sizeof identity->port);
    return hash_text(key, identity->id) | 1;
}

int identity_make(const struct conf *conf, const struct address *listener,
                  struct identity *ret_identity)
{
    const struct conf_registry *registry = &conf->registry;
    struct identity identity = {.port = choose_port(registry, listener)};
    choose_host(registry, listener, identity.host);
    snprintf(identity.app, sizeof identity.app, "%s", registry->app);
    if (registry->instance_id[0] != '\0')
        snprintf(identity.id, sizeof identity.id, "%s", registry->instance_id);
    else if (snprintf(identity.id, sizeof identity.id, "%s:%s:%u", identity.host, identity.app,
                      identity.port) >= (int)sizeof identity.id)
        identity.id[sizeof identity.id - 1] = '\0';
    identity.key = key_of(registry, &identity);
    if (add_routes(conf, &identity.routes) != 0) {
        identity_clear(&identity);
        return -ENOMEM;
    }
    *ret_identity = identity;
    return 0;
}

void identity_clear(struct identity *identity)
{
    conf_list_clear(&identity->routes);
}
