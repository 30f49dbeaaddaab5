/*
 * One frame on its way to one node: a snapshot, or an answer, which is the same with another key
 * before its list.
 */
#ifndef ZOMBIE_DISTRIBUTOR_DELIVERY_H
#define ZOMBIE_DISTRIBUTOR_DELIVERY_H

#include <stddef.h>

#include "base/bytes.h"

struct snapshot;

/* All zero: nothing is on its way. */
struct delivery {
    struct snapshot *snapshot;
    size_t at;         /* so much of the snapshot is sent, or need not be */
    struct bytes head; /* what comes before it */
};

/* Begin with the whole snapshot, which gets one more holder. */
void delivery_begin(struct delivery *delivery, struct snapshot *snapshot);

/* Begin with this head and the list of the snapshot; the head's memory is the delivery's. */
void delivery_begin_answer(struct delivery *delivery, struct snapshot *snapshot,
                           struct bytes *head);

/*
 * Send what the socket takes now. Returns 0 when all of it is sent, and nothing is on its way any
 * more; -EAGAIN when the socket is full; or another -errno: the connection is of no more use.
 */
__attribute__((warn_unused_result)) int delivery_go_on(struct delivery *delivery, int fd);

/* Forget it, if there is one. */
void delivery_clear(struct delivery *delivery);

#endif
