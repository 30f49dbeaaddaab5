/*
 * One shared listening socket, as a worker sees it: takes its turn among the
 * workers, one connection a turn, and steps back when it must.
 */
#ifndef ZOMBIE_HTTP_LISTENER_H
#define ZOMBIE_HTTP_LISTENER_H

#include <stdbool.h>

struct address;
struct event_base;
struct http_listener;

struct http_listener_settings {
    struct event_base *base;
    int fd; /* listening, non-blocking; owned by the listener from now on */
    /* A connection was accepted: fd, non-blocking, is the callee's. */
    void (*connected)(int fd, const struct address *peer, void *arg);
    /* Whether there is room for one more connection. */
    bool (*has_room)(void *arg);
    /* Whether others accept from this socket, too, who are to have their turn. */
    bool (*is_shared)(void *arg);
    /* accept(2) has failed with this errno; it is tried again after LISTENER_RETRY_MS. */
    void (*failed)(int error, void *arg);
    void *arg;
};

/* How long nothing is accepted after accept(2) failed for want of descriptors or memory. */
#define LISTENER_RETRY_MS 100

/* Begin to accept. Returns 0 or -ENOMEM; fd is closed on failure. */
__attribute__((warn_unused_result)) int
http_listener_new(const struct http_listener_settings *settings,
                  struct http_listener **ret_listener);

/* Whether has_room() holds back whoever comes. */
bool http_listener_is_held(const struct http_listener *listener);

/* Whether somebody waits to be accepted whom it holds back. */
bool http_listener_waits(const struct http_listener *listener);

/* A connection has gone: accept again if has_room() was what held us back. */
void http_listener_resume(struct http_listener *listener);

/*
 * Stop sharing fairly and take whatever comes, because nobody else will.
 * Returns whether connections are waiting in the kernel's queue right now.
 */
bool http_listener_empty_queue(struct http_listener *listener);

/* Stop accepting and close this process's copy of the socket; its connections go on. */
void http_listener_close(struct http_listener *listener);

/* Close and free; NULL is fine. */
void http_listener_free(struct http_listener *listener);

#endif
