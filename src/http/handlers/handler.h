/*
 * What a handler is: a name and options for the configuration, the methods it
 * takes, and a function that answers. One handler a file, one row in table.c.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_HANDLER_H
#define ZOMBIE_HTTP_HANDLERS_HANDLER_H

#include <stdbool.h>

#include "conf/conf.h"

struct http_request;

struct handler {
    struct conf_handler conf; /* first, so that a route's handler leads back here */
    const char *methods;      /* as in Allow (RFC 9110 section 10.2.1): "GET, HEAD" */
    /* Whether routes of this handler exist under this configuration; NULL: always. */
    bool (*exists)(const struct conf *conf);
    /* Answer the request, by reply_send() exactly once. */
    void (*serve)(struct http_request *request);
};

extern const struct handler handler_health;
extern const struct handler handler_identity;
extern const struct handler handler_not_found;
extern const struct handler handler_text;
extern const struct handler handler_worker_killer;

/* The conf part of every handler, NULL-terminated: what conf_load() wants to know. */
extern const struct conf_handler *const handlers_conf[];

/* The handler whose conf part this is. */
const struct handler *handler_of(const struct conf_handler *conf);

#endif
