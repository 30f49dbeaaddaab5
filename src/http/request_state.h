/*
 * What stands behind request.h and reply.h: for the files of this folder only.
 */
#ifndef ZOMBIE_HTTP_REQUEST_STATE_H
#define ZOMBIE_HTTP_REQUEST_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "http/target.h"
#include "ipc/message.h"

struct connection;
struct evhttp_request;
struct http_server;
struct route;

struct http_request {
    struct evhttp_request *evreq; /* NULL: none is being answered */
    struct connection *connection;
    struct http_server *server;
    const struct route *route;
    struct target target;
    bool doomed; /* the worker dies when this is answered */
    enum chaos_mode mode;
    uint32_t after_ms;
    char client[ADDRESS_TEXT_SIZE]; /* who asked for that */
};

/* The method of an evhttp request as text. */
const char *request_method_name(const struct evhttp_request *evreq);

#endif
