/*
 * What a worker makes of each route before the first request: what is written
 * down as text is read once, and the handler prepares itself.
 */
#ifndef ZOMBIE_HTTP_ATTRIBUTES_H
#define ZOMBIE_HTTP_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "http/networks.h"

struct address;
struct conf;
struct handler;

struct attributes {
    const struct handler *handler; /* NULL: the route does not exist under this configuration */
    void *state;                   /* of the handler, for this route */
    struct networks allow;
    struct networks deny;
    struct bytes headers; /* as they stand in an answer, each line with its CRLF */
};

/*
 * One for each of conf->routes, in that order. Returns 0, -ENOMEM, or what the init() of
 * a handler returned, which is said in the log.
 */
__attribute__((warn_unused_result)) int attributes_new(const struct conf *conf,
                                                       struct attributes **ret_attributes);

/* Whether a client may use the route. */
bool attributes_admit(const struct attributes *attributes, const struct address *client);

/* Free all; NULL is fine. */
void attributes_free(struct attributes *attributes, const struct conf *conf);

#endif
