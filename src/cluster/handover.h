/*
 * Between a running master and the plain data of state.h: what an upgrade takes
 * along, and how the new program makes a master of it again.
 */
#ifndef ZOMBIE_CLUSTER_HANDOVER_H
#define ZOMBIE_CLUSTER_HANDOVER_H

#include <stdbool.h>

#include "cluster/state.h"
#include "ipc/message.h"
#include "ipc/scoreboard.h"

struct conf;
struct launch;
struct master;

/* What both programs must agree on besides the state itself: the shared memory and the frames. */
#define HANDOVER_LAYOUTS (SCOREBOARD_LAYOUT * 1000 + MESSAGE_VERSION)

/* Describe the master, but for its configuration. Returns 0 or -ENOMEM; free the result with
 * state_clear(). */
__attribute__((warn_unused_result)) int handover_collect(const struct master *master,
                                                         struct state *ret_state);

/* Let all descriptors of the state survive execve(2), or not (fcntl(2), FD_CLOEXEC). */
void handover_keep_descriptors(const struct state *state, bool keep);

/*
 * Read the state that launch->state_fd is, which stays open. Returns 0; or
 * -errno with `error` set; see state_decode().
 */
__attribute__((warn_unused_result)) int
handover_read(const struct launch *launch, struct state *ret_state, char error[STATE_ERROR_SIZE]);

/*
 * Whether the descriptors of the state are what it says they are. Returns 0, or
 * -EBADF with `error` set.
 */
__attribute__((warn_unused_result)) int handover_check(const struct state *state,
                                                       char error[STATE_ERROR_SIZE]);

/*
 * Fill a master that has a loop and nothing else from the state: descriptors and
 * workers become its own, and conf that of its generation. Returns 0 or
 * -errno, after which the process can only end.
 */
__attribute__((warn_unused_result)) int handover_adopt(struct master *master, struct conf *conf,
                                                       const struct state *state);

#endif
