/*
 * The members of a service as etcd has them: a range of keys, and what a watch says of it from then
 * on. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_ETCD_MEMBERS_H
#define ZOMBIE_DISCOVERY_ETCD_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "discovery/member.h"
#include "discovery/registries/etcd_wire.h"

/* In any order, up to MEMBERS_MAX of them. All zero is an empty list. */
struct etcd_members {
    struct member *at;
    size_t n, size;
    int64_t revision;   /* of the store; the list has all changes up to it */
    unsigned n_skipped; /* keys that make no sense, or are too many, since the range */
};

void etcd_members_free(struct etcd_members *members);

/* Whether both have the same members; sorts both. */
bool etcd_members_equal(struct etcd_members *a, struct etcd_members *b);

/*
 * Read the answer to etcd_wire_range() of this prefix. Returns 0 and the list, to be freed, or
 * -EINVAL: it is none, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int etcd_members_read(const char *body, size_t len,
                                                          const char *prefix,
                                                          struct etcd_members *ret_members);

enum etcd_event {
    ETCD_NOTHING, /* that concerns us */
    ETCD_CHANGED, /* the list is another one */
    ETCD_ENDED,   /* there is nothing to come: the watch was refused, or the list is too old */
};

/*
 * Read a line of the stream that etcd_wire_watch() of this prefix began, and do to the list what it
 * says. With ENDED *ret_refusal says why; its outcome is DONE if the list is too old. Returns 0,
 * -EINVAL: it is no such line, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int
etcd_members_apply(struct etcd_members *members, const char *line, size_t len, const char *prefix,
                   enum etcd_event *ret_event, struct etcd_refusal *ret_refusal);

#endif
