/*
 * The list at one moment as one frame, held in memory that the kernel sends from: however
 * many connections are at it, there is one copy.
 */
#ifndef ZOMBIE_DISTRIBUTOR_SNAPSHOT_H
#define ZOMBIE_DISTRIBUTOR_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct table;

/* All that there are, the oldest first. */
struct snapshots {
    TAILQ_HEAD(snapshot_list, snapshot) all;
    size_t n;
    size_t bytes;
};

struct snapshot {
    TAILQ_ENTRY(snapshot) entry;
    struct snapshots *among;
    unsigned holders;
    int fd;           /* a memfd with the frame */
    size_t len;       /* of the frame, its end included */
    size_t list_at;   /* where its list begins, behind the key */
    uint64_t version; /* of the table */
    size_t n;         /* nodes */
};

void snapshots_init(struct snapshots *snapshots);

/* Make one of the table, the newest of these, which must outlive it. Returns 0, with the caller as
 * its holder; or -errno of memfd_create(2) or write(2), as -EMFILE, or -ENOMEM. */
__attribute__((warn_unused_result)) int snapshot_new(struct snapshots *snapshots,
                                                     const struct table *table,
                                                     struct snapshot **ret_snapshot);

struct snapshot *snapshot_hold(struct snapshot *snapshot);

/* Give it up; the last holder frees it. NULL is fine. */
void snapshot_release(struct snapshot *snapshot);

#endif
