/*
 * Noticing that a client has gone while nobody reads from it: in the middle of a
 * body that a handler streams, when whoever takes it is slow.
 */
#ifndef ZOMBIE_HTTP_ABSENCE_H
#define ZOMBIE_HTTP_ABSENCE_H

struct connection;

/* Close the connection when its client has gone; when memory is short that is noticed later. */
void absence_watch(struct connection *connection);

/* Its client is heard again. */
void absence_ignore(struct connection *connection);

#endif
