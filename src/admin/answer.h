/*
 * The shapes of the short answers of the admin site. Nothing of it may be cached.
 */
#ifndef ZOMBIE_ADMIN_ANSWER_H
#define ZOMBIE_ADMIN_ANSWER_H

#include <jansson.h>

struct http_request;

/* One line of text; challenge is the value of WWW-Authenticate, or NULL. */
void answer_line(struct http_request *request, int status, const char *challenge, const char *text);

/* 503 with one line of text and Retry-After (RFC 9110 section 10.2.3). */
void answer_later(struct http_request *request, const char *text);

/* A JSON value in a line; 503 comes with Retry-After. */
void answer_json(struct http_request *request, int status, const json_t *value);

/*
 * What became of an order: {"ok":true,"text":...}, or with an error
 * {"ok":false,"error":...,"text":...}; text may be NULL. "too-many" comes with
 * Retry-After (RFC 9110 section 10.2.3).
 */
void answer_order(struct http_request *request, int status, const char *challenge,
                  const char *error, const char *text);

#endif
