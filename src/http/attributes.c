#include "config.h"

#include "http/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/fields.h"
#include "http/handlers/handler.h"

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
    int err = networks_read(&route->allow, &attributes->allow);
    if (err == 0)
        err = networks_read(&route->deny, &attributes->deny);
    fields_add_list(&attributes->headers, &route->headers);
    if (err == 0 && attributes->headers.failed)
        err = -ENOMEM;
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

bool attributes_admit(const struct attributes *attributes, const struct address *client)
{
    if (networks_contain(&attributes->deny, client))
        return false;
    return attributes->allow.n == 0 || networks_contain(&attributes->allow, client);
}

void attributes_free(struct attributes *attributes, const struct conf *conf)
{
    for (size_t i = 0; attributes != NULL && i < conf->n_routes; i++) {
        const struct handler *handler = attributes[i].handler;
        if (handler != NULL && handler->drop != NULL)
            handler->drop(attributes[i].state);
        networks_free(&attributes[i].allow);
        networks_free(&attributes[i].deny);
        bytes_free(&attributes[i].headers);
    }
    free(attributes);
}
