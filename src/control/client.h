/*
 * The other side of the control socket: ask, and hear the answer line by line,
 * on an event loop. For zombiectl and the admin child.
 */
#ifndef ZOMBIE_CONTROL_CLIENT_H
#define ZOMBIE_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct control_client;
struct event_base;

/*
 * One line of an answer: progress, a piece, or, when is_last, the end. `line`
 * is borrowed. NULL, and is_last: the connection has ended before the answer did.
 * A refusal whose "id" is null ("not-allowed", "too-many", "bad-request") is the
 * last line of all answers that are open.
 */
typedef void control_heard(const json_t *line, bool is_last, void *arg);

/*
 * Connect to the unix socket at path (blocking, which is short) and speak over
 * it on the loop. Returns 0; or -errno of connect(2): -ENOENT nobody has made it,
 * -ECONNREFUSED nobody listens any more, -EACCES not allowed, -EAGAIN the server
 * takes no connection for five seconds, -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int control_client_connect(struct event_base *base,
                                                               const char *path,
                                                               struct control_client **ret_client);

/* The same over a socket that is connected, which is the client's on success. */
__attribute__((warn_unused_result)) int control_client_adopt(struct event_base *base, int fd,
                                                             struct control_client **ret_client);

/*
 * Send {"id":N,"command":command, ...arguments}; arguments is an object or NULL,
 * and its reference is taken. `heard` is called from the loop for each line of
 * the answer, the last time with is_last; never after control_client_free().
 * Returns the id (1 and up), or 0 when the connection has ended, the request
 * is longer than CONTROL_LINE_MAX, a megabyte waits to be sent or memory is
 * short: `heard` is then not called.
 */
__attribute__((warn_unused_result)) uint64_t control_client_ask(struct control_client *client,
                                                                const char *command,
                                                                json_t *arguments,
                                                                control_heard *heard, void *arg);

/* Nobody wants the rest of that answer: `heard` is called no more. */
void control_client_forget(struct control_client *client, uint64_t id);

/* Whether the connection still stands. */
bool control_client_is_connected(const struct control_client *client);

/* Close and free, also from within `heard`; NULL is fine. */
void control_client_free(struct control_client *client);

#endif
