/*
 * The admin site's link to the master: its status, asked for when somebody
 * wants it and shared by all who ask at the same time; the events as they
 * come; orders. All calls and callbacks are of the event loop.
 */
#ifndef ZOMBIE_ADMIN_FEED_H
#define ZOMBIE_ADMIN_FEED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "control/client.h"

struct event_base;
struct feed;

/* What became of a question. */
struct feed_status {
    const char *json; /* one object without line breaks; NULL: there is none */
    size_t len;
    const char *why; /* ... because of this */
};

/* Somebody who wants the status: kept by the asker until it is told or forgotten. */
struct feed_question {
    LIST_ENTRY(feed_question) entry;                           /* the feed's */
    void (*told)(const struct feed_status *status, void *arg); /* once; texts are borrowed */
    void *arg;
};

/* Who hears the events. */
struct feed_listener {
    void (*event)(const json_t *event, void *arg); /* an EVENT of doc/protocol.md */
    void (*caught_up)(void *arg); /* once: all that were kept have been told, new ones follow */
    void (*lost)(void *arg);      /* once: the connection to the master has ended */
    void *arg;
};

/*
 * Speak to the master over the connected socket fd, which is the feed's on
 * success. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int feed_new(struct event_base *base, int fd,
                                                 const struct feed_listener *listener,
                                                 struct feed **ret_feed);

/*
 * Tell the status, which is at most max_age_ms old; 0: asked for now, or being
 * asked for already. `told` may be called before this returns, and is after
 * 2 s at the latest.
 */
void feed_ask(struct feed *feed, int64_t max_age_ms, struct feed_question *question);

/* The question is to be answered no more. */
void feed_forget(struct feed_question *question);

/* The connection for orders, as of control/client.h. */
struct control_client *feed_client(struct feed *feed);

/* Nobody is told anything any more; NULL is fine. */
void feed_free(struct feed *feed);

#endif
