/*
 * How a server finishes without losing a request; the part of server.h that
 * takes more than one step.
 */
#ifndef ZOMBIE_HTTP_DRAIN_H
#define ZOMBIE_HTTP_DRAIN_H

struct http_server;

/* Make what a drain needs, so that it cannot fail later. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int drain_init(struct http_server *server);

/* Something changed: if the server drains, look again in the next turn of the loop. */
void drain_soon(struct http_server *server);

/* Free what drain_init() made. */
void drain_clear(struct http_server *server);

#endif
