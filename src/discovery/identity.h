/*
 * Who the instance is for a registry: what the configuration says, and what follows from it.
 */
#ifndef ZOMBIE_DISCOVERY_IDENTITY_H
#define ZOMBIE_DISCOVERY_IDENTITY_H

#include <stdint.h>

#include "conf/option.h"
#include "discovery/member.h"

struct address;
struct conf;

struct identity {
    char app[SERVICE_NAME_SIZE];
    char id[MEMBER_ID_SIZE]; /* registry.instance_id, or host:app:port */
    char host[MEMBER_HOST_SIZE];
    unsigned port;           /* 0: there is none, and so nothing to register */
    struct conf_list routes; /* "GET/path", one for each route */
    uint64_t key;            /* the same for who registers the same, wherever; never 0 */
};

/* `listener` may be NULL; see discovery.h. Returns 0 or -ENOMEM, then with nothing to clear. */
__attribute__((warn_unused_result)) int identity_make(const struct conf *conf,
                                                      const struct address *listener,
                                                      struct identity *ret_identity);
void identity_clear(struct identity *identity);

#endif
