/*
 * One request on its way to a server of an upstream, and to another one when
 * that fails, until its answer is with the client.
 */
#ifndef ZOMBIE_PROXY_FORWARD_H
#define ZOMBIE_PROXY_FORWARD_H

struct http_request;
struct proxy;
struct proxy_route;

/* Answer the request, now or later, with what a server of the route's upstream says. */
void forward_begin(struct http_request *request, struct proxy *proxy,
                   const struct proxy_route *route);

#endif
