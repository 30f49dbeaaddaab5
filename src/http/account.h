/*
 * What is written down about each request that is over: it is counted on the
 * scoreboard, and has its line in the access log.
 */
#ifndef ZOMBIE_HTTP_ACCOUNT_H
#define ZOMBIE_HTTP_ACCOUNT_H

struct connection;
struct http_server;

/*
 * Open the access log on settings.access_log_fd, if there is one. Returns 0 or
 * -errno.
 */
__attribute__((warn_unused_result)) int account_init(struct http_server *server);

/*
 * The connection's request is over, answered or not; to be called once for each.
 * One that was refused before it was understood counts, too; "100 Continue" does not.
 */
void account(struct connection *connection);

/* Write out what waits: the worker leaves or dies. */
void account_flush(struct http_server *server);

/* Go on with this descriptor, which is the server's then; -1 changes nothing. */
void account_move(struct http_server *server, int fd);

/* Write out what waits, and free. */
void account_clear(struct http_server *server);

#endif
