/*
 * What a handler is: what the configuration knows of it (name, options, the
 * methods it takes), and a function that answers. One handler a file, one row in
 * worker/handlers.c.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_HANDLER_H
#define ZOMBIE_HTTP_HANDLERS_HANDLER_H

#include <stdbool.h>

#include "conf/conf.h"

struct http_request;

struct handler {
    struct conf_handler conf; /* first, so that a route's handler leads back here */
    /* Whether routes of this handler exist under this configuration; NULL: always. */
    bool (*exists)(const struct conf *conf);
    bool streams_body; /* serve() comes with the head, and asks for the body: request_read_body() */
    /*
     * In each worker, once for each route, before the first request: make what
     * request_state() returns. What may come and go, such as a folder, is not a
     * reason to fail: log it, and answer so. NULL: there is nothing to make.
     * Returns 0 or -errno: the worker cannot start.
     */
    int (*init)(const struct conf_route *route, void **ret_state);
    /*
     * Answer the request, once, now or later (request_wait()); see reply.h. The
     * method is one of conf.methods.
     */
    void (*serve)(struct http_request *request);
    /* Free what init() made; no request is in flight. NULL: there is nothing to free. */
    void (*drop)(void *state);
};

extern const struct handler handler_files;
extern const struct handler handler_health;
extern const struct handler handler_identity;
extern const struct handler handler_json;
extern const struct handler handler_not_found;
extern const struct handler handler_redirect;
extern const struct handler handler_text;
extern const struct handler handler_worker_killer;

/* The handler whose conf part this is. */
const struct handler *handler_of(const struct conf_handler *conf);

#endif
