/*
 * From a request to the handler that answers it, or to the answer that there is
 * none: the steps of Go's ServeMux, then what the route says of its clients.
 */
#ifndef ZOMBIE_HTTP_DISPATCH_H
#define ZOMBIE_HTTP_DISPATCH_H

#include <stdbool.h>

struct http_request;

/* Note where target, path and query stand in the head of the request, which has just been read. */
void dispatch_target(struct http_request *request);

/* Look for the route: request->found and request->match are set. */
void dispatch_find_route(struct http_request *request);

/*
 * Whether its client or its host make the answer clear, so that nobody wants the
 * body: dispatch() will give 403 or 421. For a client that asks first, also
 * whether there is no route (RFC 9110 section 10.1.1).
 */
bool dispatch_refuses(const struct http_request *request, bool asks);

/* Whether the handler that was found takes the body piece by piece. */
bool dispatch_streams(const struct http_request *request);

/* Answer, or have the handler of the route that was found do it. */
void dispatch(struct http_request *request);

#endif
