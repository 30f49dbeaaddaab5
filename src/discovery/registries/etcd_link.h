/*
 * Requests to one server of etcd, as the user of the configuration if there is one: whoever has no
 * token logs in first, and once more when the token is not taken any more.
 */
#ifndef ZOMBIE_DISCOVERY_ETCD_LINK_H
#define ZOMBIE_DISCOVERY_ETCD_LINK_H

#include <stddef.h>

#include "discovery/driver.h"
#include "discovery/registries/etcd_wire.h"

struct etcd_link;
struct etcd_call;

struct etcd_request {
    const char *target; /* ETCD_PUT and so on */
    char *body;         /* allocated, and the link's from here on; NULL: memory was short for it */

    /* As of http_client.h: for a stream, each of its lines; NULL: the answer comes whole. */
    void (*line)(const char *line, size_t len, void *arg);

    /*
     * The call is over and freed after this. Comes once, never from within etcd_link_send().
     * refusal: why there is no answer; NULL: it has `body`, "" of a stream that has ended.
     */
    void (*done)(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg);
    void *arg;
};

/* The settings must live as long. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int etcd_link_new(const struct driver_settings *settings,
                                                      struct etcd_link **ret_link);

/* Free, with all calls that run; not from within a callback. NULL is fine. */
void etcd_link_free(struct etcd_link *link);

/* Returns the call, which is the link's; NULL: out of memory, and `done` does not come. */
struct etcd_call *etcd_link_send(struct etcd_link *link, const struct etcd_request *request);

/* Give it up: no callback comes any more. NULL is fine. */
void etcd_link_cancel(struct etcd_call *call);

/* The token is not taken any more, as a stream says: the next request logs in. */
void etcd_link_forget_token(struct etcd_link *link);

/* Take the password and the token out of what a stream gives as a reason. */
void etcd_link_hide(const struct etcd_link *link, struct etcd_refusal *refusal);

#endif
