#include "config.h"

#include "http/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/handlers/handler.h"

static int read_networks(const struct conf_list *texts, struct networks *networks)
{
    const char *why;
    networks->items = calloc(texts->n + 1, sizeof *networks->items);
    if (networks->items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < texts->n; i++)
        if (network_parse(texts->items[i], &networks->items[networks->n], &why) == 0)
            networks->n++;
    return 0;
}

static int render_headers(const struct conf_list *fields, struct bytes *headers)
{
    for (size_t i = 0; i < fields->n; i++) {
        bytes_add_text(headers, fields->items[i]);
        bytes_add_text(headers, "\r\n");
    }
    return headers->failed ? -ENOMEM : 0;
}

static int start_handler(const struct conf_route *route, const struct handler *handler,
                         struct attributes *attributes)
{
    int err = handler->init != NULL ? handler->init(route, &attributes->state) : 0;
    if (err != 0)
        log_error("route \"%s\": handler %s cannot start: %s", route->pattern, handler->conf.name,
                  strerror(-err));
    else
        attributes->handler = handler;
    return err;
}

static int prepare(const struct conf *conf, const struct conf_route *route,
                   struct attributes *attributes)
{
    const struct handler *handler = handler_of(route->handler);
    if (handler->exists != NULL && !handler->exists(conf))
        return 0;
    int err = read_networks(&route->allow, &attributes->allow);
    if (err == 0)
        err = read_networks(&route->deny, &attributes->deny);
    if (err == 0)
        err = render_headers(&route->headers, &attributes->headers);
    return err == 0 ? start_handler(route, handler, attributes) : err;
}

int attributes_new(const struct conf *conf, struct attributes **ret_attributes)
{
    struct attributes *attributes = calloc(conf->n_routes + 1, sizeof *attributes);
    int err = attributes != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; err == 0 && i < conf->n_routes; i++)
        err = prepare(conf, &conf->routes[i], &attributes[i]);
    if (err != 0) {
        attributes_free(attributes, conf);
        return err;
    }
    *ret_attributes = attributes;
    return 0;
}

static bool contains(const struct networks *networks, const struct address *client)
{
    for (size_t i = 0; i < networks->n; i++)
        if (network_contains(&networks->items[i], client))
            return true;
    return false;
}

bool attributes_admit(const struct attributes *attributes, const struct address *client)
{
    if (contains(&attributes->deny, client))
        return false;
    return attributes->allow.n == 0 || contains(&attributes->allow, client);
}

void attributes_free(struct attributes *attributes, const struct conf *conf)
{
    for (size_t i = 0; attributes != NULL && i < conf->n_routes; i++) {
        const struct handler *handler = attributes[i].handler;
        if (handler != NULL && handler->drop != NULL)
            handler->drop(attributes[i].state);
        free(attributes[i].allow.items);
        free(attributes[i].deny.items);
        bytes_free(&attributes[i].headers);
    }
    free(attributes);
}
