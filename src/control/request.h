/*
 * A request that is open; server.h has what its owner does with it.
 */
#ifndef ZOMBIE_CONTROL_REQUEST_H
#define ZOMBIE_CONTROL_REQUEST_H

struct control_request;
struct control_request_line;
struct control_connection;

/* Open one on the connection and take the line's arguments; NULL when memory is short. */
__attribute__((warn_unused_result)) struct control_request *
control_request_new(struct control_connection *connection, const struct control_request_line *line);

/* Free one that is on its connection's list no more. */
void control_request_free(struct control_request *request);

#endif
