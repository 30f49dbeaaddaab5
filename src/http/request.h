/*
 * A request as handlers see it: they never touch evhttp. Everything a
 * function returns belongs to the request and lives until its reply is sent.
 */
#ifndef ZOMBIE_HTTP_REQUEST_H
#define ZOMBIE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

struct http_request;
struct worker_identity;
struct conf_chaos;

/* "GET", in capitals (RFC 9110 section 9.1). */
const char *request_method(const struct http_request *request);

/* The decoded path, beginning with '/'. */
const char *request_path(const struct http_request *request);

/* The query, still encoded and without '?'; "" without one. See target_query_value(). */
const char *request_query(const struct http_request *request);

/* The first value of a header field, or NULL; the name in any case. */
const char *request_header(const struct http_request *request, const char *name);

/* The client's address as the kernel tells it. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int request_peer(const struct http_request *request,
                                                     struct address *ret_address);

/* The settings of the route that matched, of the type that its handler declared. */
const void *request_settings(const struct http_request *request);

/* Who answers: the instance and the worker. */
const struct worker_identity *request_identity(const struct http_request *request);

/* The chaos section of the configuration. */
const struct conf_chaos *request_chaos(const struct http_request *request);

/* How many requests this worker has answered before this one. */
unsigned long request_count(const struct http_request *request);

/* Whether the whole instance is about to stop, not just this worker. */
bool request_finds_stopping(const struct http_request *request);

#endif
