/*
 * The two shapes of the short answers of the admin site. Nothing of it may be cached.
 */
#ifndef ZOMBIE_ADMIN_ANSWER_H
#define ZOMBIE_ADMIN_ANSWER_H

struct http_request;

/* One line of text; challenge is the value of WWW-Authenticate, or NULL. */
void answer_line(struct http_request *request, int status, const char *challenge, const char *text);

/*
 * What became of an order: {"ok":true,"text":...}, or with an error
 * {"ok":false,"error":...,"text":...}; text may be NULL. "too-many" comes with
 * Retry-After (RFC 9110 section 10.2.3).
 */
void answer_order(struct http_request *request, int status, const char *challenge,
                  const char *error, const char *text);

#endif
