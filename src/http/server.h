/*
 * The HTTP side of a worker: connections on the shared listening sockets, the
 * routes of the configuration, and a drain that loses nobody.
 */
#ifndef ZOMBIE_HTTP_SERVER_H
#define ZOMBIE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

struct conf;
struct event_base;
struct http_server;
struct scoreboard_slot;
struct worker_identity;

/* What the server needs; everything is borrowed for its life. */
struct http_server_settings {
    struct event_base *base;
    const struct conf *conf;
    const struct worker_identity *identity;
    struct scoreboard_slot *scoreboard;
    int access_log_fd; /* the server's from http_server_new() on, if that succeeds; -1: none */
    /*
     * Somebody made use of /workerKiller, and the answer is out: die.
     * `client` is who asked, as address_format() writes it.
     */
    void (*die)(enum chaos_mode mode, uint32_t after_ms, const char *client, void *arg);
    /* Whether other workers accept from the same sockets; NULL: none ever does. */
    bool (*is_shared)(void *arg);
    void *arg;     /* of both */
    void *context; /* for request_context(): what handlers of other folders work with; or NULL */
};

struct http_drain {
    int64_t delay_ms;        /* keep accepting this long */
    int64_t idle_ms;         /* wait this long for the next request of an idle connection */
    bool last;               /* nobody else accepts: be patient with what the kernel has queued */
    bool stopping;           /* the whole instance stops: health checks say 503 */
    void (*done)(void *arg); /* no listener and no connection is left; comes once */
    void *arg;
};

/* How many descriptors a worker needs for all that this configuration allows. */
size_t http_server_descriptors(const struct conf *conf);

/* Set up without accepting anything yet. Returns 0, -ENOMEM, or why a handler cannot start. */
__attribute__((warn_unused_result)) int http_server_new(const struct http_server_settings *settings,
                                                        struct http_server **ret_server);

/*
 * Accept on these n listening, non-blocking sockets, which the server owns from
 * now on, in case of failure too. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int http_server_accept(struct http_server *server,
                                                           const int *listeners, size_t n);

/*
 * Finish: stop accepting, answer what is in flight and what still comes on
 * open connections with "Connection: close", close idle ones. A second call
 * only makes it sooner.
 */
void http_server_drain(struct http_server *server, const struct http_drain *drain);

/* The access log was moved: write to this descriptor, which is the server's now. */
void http_server_move_access_log(struct http_server *server, int fd);

/* Write out what waits to be written: the worker is about to die. */
void http_server_flush(struct http_server *server);

/* Close everything at once and free; NULL is fine. */
void http_server_free(struct http_server *server);

#endif
