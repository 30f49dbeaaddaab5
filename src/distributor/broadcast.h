/*
 * When the list goes to all: at the end of the loop's turn in which it has changed. While one
 * is on its way to somebody, further changes wait until it is there, or for
 * BROADCAST_GAP_MS, and go together.
 */
#ifndef ZOMBIE_DISTRIBUTOR_BROADCAST_H
#define ZOMBIE_DISTRIBUTOR_BROADCAST_H

#include <stdbool.h>

struct visitor;
struct distributor;

/* How long a change waits at most for those who are slow to take what was before it. */
#define BROADCAST_GAP_MS 250

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int broadcast_init(struct distributor *distributor);

/* The table has changed, or somebody asks for what no snapshot has. */
void broadcast_want(struct distributor *distributor);

/* Attend the connection when others have had their turn. */
void broadcast_attend(struct distributor *distributor, struct visitor *visitor);

/* Attend it no more: it closes. */
void broadcast_forget(struct distributor *distributor, struct visitor *visitor);

/* Note whether the node has still to be sent the newest snapshot. */
void broadcast_note(struct distributor *distributor, struct visitor *visitor, bool is_behind);

void broadcast_clear(struct distributor *distributor);

#endif
