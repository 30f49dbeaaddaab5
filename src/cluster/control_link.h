/*
 * How zombiectl and the admin child steer the master: their requests are noted
 * as they come, and carried out in the turns of the loop.
 */
#ifndef ZOMBIE_CLUSTER_CONTROL_LINK_H
#define ZOMBIE_CLUSTER_CONTROL_LINK_H

#include <stdint.h>

struct control_link;
struct master;

/* Make the master's, which has a loop by now. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int control_link_new(struct master *master);

/* Hear zombiectl on the control socket of the current generation, if it has one. */
void control_link_listen(struct master *master);

/*
 * A connection for an admin child that is about to be forked. Returns 0 and the
 * child's end, or -errno.
 */
__attribute__((warn_unused_result)) int control_link_pair(struct control_link *link, int *ret_fd);

/* Once a turn: begin what has come, go on with what is under way. */
void control_link_step(struct master *master, int64_t now_ms);

/* When it wants a turn though nothing may have happened; INT64_MAX: it does not. */
int64_t control_link_due_ms(const struct master *master, int64_t now_ms);

/* The instance has ended: answer whoever waits, close, and free; NULL is fine. */
void control_link_free(struct control_link *link);

#endif
