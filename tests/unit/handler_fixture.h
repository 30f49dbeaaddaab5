/*
 * A request and its answer without a server: what stands behind http/request.h
 * and http/reply.h when a test calls a handler by itself.
 */
#ifndef ZOMBIE_TESTS_HANDLER_FIXTURE_H
#define ZOMBIE_TESTS_HANDLER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/handlers/handler.h"

struct pair {
    const char *name;
    const char *value;
};

/* What a test says of the request; the rest is filled by the handler's answer. */
struct http_request {
    const char *method;
    const char *path;
    const char *raw_below;
    const char *query;
    const char *body;           /* NULL: none */
    size_t len;                 /* of the body; 0: up to its NUL */
    const struct pair *headers; /* ended by a NULL name; NULL: none */
    const struct pair *wildcards;
    const void *settings;
    void *state;
    int wait_result;   /* of request_wait() */
    bool lacks_memory; /* request_memory() fails */

    int answers;
    int status;
    char *type;   /* NULL: none */
    char *answer; /* the body, ended by a NUL; or reply_error()'s detail */
    struct {
        char *name;
        char *value;
    } fields[8];
    size_t n_fields;
    void *memory;     /* of request_memory(), the last */
    int64_t waits_ms; /* 0: it does not wait */
    void (*then)(struct http_request *request);
};

/*
 * The settings of a route of that handler with these values, ended by a NULL
 * name, and defaults for the others; a test that uses a value that is refused
 * fails. To be freed with handler_settings_free().
 */
void *handler_settings(const struct handler *handler, const struct pair *values);
void handler_settings_free(const struct handler *handler, void *settings);

/* Let the handler answer; the test fails unless it does, or waits, exactly once. */
void handler_ask(const struct handler *handler, struct http_request *request);

/* Let a handler that waits go on. */
void handler_go_on(struct http_request *request);

/* The value of a header of the answer, or NULL. */
const char *handler_field(const struct http_request *request, const char *name);

/* Free the answer. */
void handler_forget(struct http_request *request);

#endif
