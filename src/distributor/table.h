/*
 * The nodes of the star in the order of their registration, each as the text that the list has of
 * it: so a list is made by copying. Pure.
 */
#ifndef ZOMBIE_DISTRIBUTOR_TABLE_H
#define ZOMBIE_DISTRIBUTOR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "discovery/driver.h"

struct bytes;

/* The most bytes of a list: zombie-server reads no longer one, and there is more in its frame. */
#define TABLE_BYTES_MAX ((size_t)DRIVER_ANSWER_MAX - 4096)

/* The most bytes of one node in it, that few cannot take the room of many. */
#define TABLE_NODE_MAX ((size_t)16384)

/* All zero is one that is not in the table. */
struct node {
    TAILQ_ENTRY(node) entry;
    char *text; /* NULL: not registered */
    size_t len;
    int64_t since_ms; /* its registration; wall clock */
};

struct table {
    TAILQ_HEAD(table_nodes, node) nodes;
    size_t n;
    size_t bytes;     /* that table_write() appends, but for the '[' of an empty one */
    size_t max;       /* nodes */
    uint64_t version; /* grows with each change; 0 is the empty one of the beginning */
};

void table_init(struct table *table, size_t max);

/*
 * Register the node, which stays the caller's, or replace its text in its place. Takes
 * a copy. Returns 1 when the table has changed, 0 when the node says what it said before; -ENOSPC
 * when there are as many nodes as may be, -EFBIG for TABLE_BYTES_MAX, -E2BIG for TABLE_NODE_MAX,
 * -ENOMEM, and the table is as it was.
 */
__attribute__((warn_unused_result)) int table_put(struct table *table, struct node *node,
                                                  const char *text, size_t len, int64_t now_ms);

/* Take the node out, if it is in. */
void table_remove(struct table *table, struct node *node);

/* Append '[' and the texts, parted by commas; out->failed says when memory is short. */
void table_write(const struct table *table, struct bytes *out);

#endif
