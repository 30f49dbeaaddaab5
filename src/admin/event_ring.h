/*
 * The last events of the master, ready to be sent as server-sent events (WHATWG
 * HTML section 9.2), for those who come later or come back. Pure.
 */
#ifndef ZOMBIE_ADMIN_EVENT_RING_H
#define ZOMBIE_ADMIN_EVENT_RING_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/bytes.h"

#define EVENT_RING_SIZE 256

/* One event as bytes of the stream. */
struct event_block {
    uint64_t seq;
    struct bytes text; /* "event: event\nid: 7\ndata: {...}\n\n" */
};

/* All zero is an empty ring. */
struct event_ring {
    struct event_block blocks[EVENT_RING_SIZE];
    size_t first;
    size_t n;
};

/*
 * Keep an EVENT, in place of the oldest one if need be. Returns it, the ring's until
 * the next one is added; NULL when it has no seq that rises, or memory is short.
 */
const struct event_block *event_ring_add(struct event_ring *ring, const json_t *event);

/*
 * Add to `out` what a client has missed that has seen everything up to seq; for one
 * that has seen nothing (0), or something of another instance, the last n.
 */
void event_ring_replay(const struct event_ring *ring, uint64_t seq, size_t n, struct bytes *out);

/* Forget all. */
void event_ring_clear(struct event_ring *ring);

#endif
