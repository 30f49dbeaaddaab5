/*
 * One connection to the control socket: its bytes become requests, answers
 * become its bytes.
 */
#ifndef ZOMBIE_CONTROL_CONNECTION_H
#define ZOMBIE_CONTROL_CONNECTION_H

#include <jansson.h>

struct control_peer;
struct control_server;
struct control_connection;

/* Serve fd, non-blocking, which is the connection's on success. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
control_connection_open(struct control_server *server, int fd, const struct control_peer *peer);

/* Queue a line and take its reference. The connection is cut when it is NULL, or one too many. */
void control_connection_send(struct control_connection *connection, json_t *answer);

/* Write what can be written without waiting, unless it is cut; may cut it. */
void control_connection_flush(struct control_connection *connection);

/* Close, and have the loop bury it; once is enough. */
void control_connection_cut(struct control_connection *connection);

/* Tell the owner of each request that is open that it is no more. */
void control_connection_drop(struct control_connection *connection);

/* Free what has been cut and has no request. */
void control_connection_free(struct control_connection *connection);

#endif
