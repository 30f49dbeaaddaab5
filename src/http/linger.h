/*
 * Closing without destroying the answer: a socket that is closed while bytes of
 * the client are unread makes the kernel send a reset, and with it the client
 * may lose an answer that it has not read yet (RFC 9112 section 9.6). So what
 * still comes is read and dropped, for a short time and within bounds.
 */
#ifndef ZOMBIE_HTTP_LINGER_H
#define ZOMBIE_HTTP_LINGER_H

struct http_server;

/*
 * Send no more on fd, and close it when the client does, after 2 s or after
 * 4 MiB. Returns 0, and fd is not the caller's any more; -EAGAIN when too many
 * linger already; -ENOMEM.
 */
__attribute__((warn_unused_result)) int linger_start(struct http_server *server, int fd);

/* Close all that linger. */
void linger_clear(struct http_server *server);

#endif
