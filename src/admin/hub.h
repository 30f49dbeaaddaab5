/*
 * Those who listen on /events. Each gets every event of the master, and the
 * status when something has changed: who reads slowly misses states of the
 * status in between, never an event.
 */
#ifndef ZOMBIE_ADMIN_HUB_H
#define ZOMBIE_ADMIN_HUB_H

#include <stdint.h>

#include <jansson.h>

#include "http/reply.h"

struct event_base;
struct feed;
struct hub;
struct scoreboard;

/* Streams at once. */
#define HUB_STREAMS_MAX 64

/* What may wait for one of them to be read, in bytes; more, and it is closed. */
#define HUB_BACKLOG_MAX 1048576

/* The scoreboard is borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
hub_new(struct event_base *base, const struct scoreboard *scoreboard, struct hub **ret_hub);

/* Ask this one, which is borrowed, from now on. */
void hub_set_feed(struct hub *hub, struct feed *feed);

/* For struct feed_listener, with the hub as arg: the master has said this, and all that it kept. */
void hub_tell(const json_t *event, void *arg);
void hub_catch_up(void *arg);

/*
 * A new listener that has seen events up to last_seq; 0: none. On success
 * *ret_source is what to give reply_stream(). Returns 0, -EBUSY when there are
 * enough of them or the site ends, -ENOMEM.
 */
__attribute__((warn_unused_result)) int hub_join(struct hub *hub, uint64_t last_seq,
                                                 struct reply_source *ret_source);

/* End all streams, and let nobody join any more. */
void hub_end(struct hub *hub);

/* All streams are over by then; NULL is fine. */
void hub_free(struct hub *hub);

#endif
