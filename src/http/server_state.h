/*
 * What stands behind server.h: for the files of this folder only.
 */
#ifndef ZOMBIE_HTTP_SERVER_STATE_H
#define ZOMBIE_HTTP_SERVER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/connection.h"
#include "http/server.h"

struct event;
struct http_listener;
struct router;

struct http_server {
    struct http_server_settings settings;
    struct router *router;
    struct connections connections;
    size_t max_connections;
    struct http_listener **listeners;
    size_t n_listeners;
    bool draining; /* asked to finish, whether or not still accepting */
    bool closing;  /* no more keep-alive: every answer says "Connection: close" */
    struct http_drain drain;
    int64_t close_at_ms; /* when accepting stops */
    struct event *drain_step;
};

#endif
