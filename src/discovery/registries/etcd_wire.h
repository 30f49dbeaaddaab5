/*
 * The JSON gateway of etcd v3 (etcd.io, "gRPC gateway"): bodies of requests, and what answers say.
 * Pure. For lists of members see etcd_members.h.
 */
#ifndef ZOMBIE_DISCOVERY_ETCD_WIRE_H
#define ZOMBIE_DISCOVERY_ETCD_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "discovery/driver.h"

/* Where requests go; all are POST. */
#define ETCD_GRANT        "/v3/lease/grant"
#define ETCD_KEEPALIVE    "/v3/lease/keepalive"
#define ETCD_REVOKE       "/v3/lease/revoke"
#define ETCD_PUT          "/v3/kv/put"
#define ETCD_TXN          "/v3/kv/txn"
#define ETCD_RANGE        "/v3/kv/range"
#define ETCD_DELETE       "/v3/kv/deleterange"
#define ETCD_WATCH        "/v3/watch"
#define ETCD_AUTHENTICATE "/v3/auth/authenticate"

/* The most keys of a service that are asked for: more than members, as some may make no sense. */
#define ETCD_KEYS_MAX 1024

/* --- Bodies of requests, allocated; NULL: out of memory, or a text that is no UTF-8 ---------- */

char *etcd_wire_grant(long ttl_s);
char *etcd_wire_lease(int64_t lease); /* to keep it alive, and to revoke it */
char *etcd_wire_put(const char *key, const char *value, int64_t lease);

/* Put it if it hangs on this lease still. */
char *etcd_wire_update(const char *key, const char *value, int64_t lease);

char *etcd_wire_count(const char *key);  /* whether there is a key: 0 or 1 */
char *etcd_wire_delete(const char *key); /* this key alone */
char *etcd_wire_range(const char *prefix);
char *etcd_wire_watch(const char *prefix, int64_t revision); /* of changes from this one on */
char *etcd_wire_login(const char *user, const char *password);

/* --- Refusals -------------------------------------------------------------------------------- */

/* Room for a phrase about it; longer ones are cut. */
#define ETCD_WHY_SIZE 160

enum etcd_reason {
    ETCD_PLAIN,    /* the outcome says it all */
    ETCD_NO_TOKEN, /* a valid token is wanted */
    ETCD_NO_AUTH,  /* nobody can log in, as authentication is not enabled */
};

struct etcd_refusal {
    enum driver_outcome outcome;
    enum etcd_reason reason;
    char why[ETCD_WHY_SIZE]; /* what the server says, or its status */
};

/* What an answer with another status than 200 means. */
void etcd_wire_refuse(int status, const char *body, size_t len, struct etcd_refusal *ret_refusal);

/*
 * The same of an answer to etcd_wire_login(). `why` has no text of the server, which may repeat the
 * password: it is one of the reasons that are known here, or the status.
 */
void etcd_wire_refuse_login(int status, const char *body, size_t len,
                            struct etcd_refusal *ret_refusal);

/* What the text of an error means that comes in a stream; NULL: there is none. */
void etcd_wire_refuse_text(const char *text, struct etcd_refusal *ret_refusal);

/* Put other words in place of a `why` that has the secret in it, even cut; NULL and "" are none. */
void etcd_wire_hide(const char *secret, struct etcd_refusal *refusal);

/* --- Answers with status 200: 0, -EINVAL (it is none), or -ENOMEM -------------------------- */

__attribute__((warn_unused_result)) int etcd_wire_read_grant(const char *body, size_t len,
                                                             int64_t *ret_lease);

/* Whether the lease is kept: 0; -ENOENT: there is no such lease. */
__attribute__((warn_unused_result)) int etcd_wire_read_keepalive(const char *body, size_t len);

/* Whether it was put: 0; -ENOENT: the key is gone, or somebody else's. */
__attribute__((warn_unused_result)) int etcd_wire_read_update(const char *body, size_t len);

__attribute__((warn_unused_result)) int etcd_wire_read_count(const char *body, size_t len,
                                                             int64_t *ret_count);

/* The token, allocated: printable ASCII without spaces, as it is to be a field. */
__attribute__((warn_unused_result)) int etcd_wire_read_token(const char *body, size_t len,
                                                             char **ret_token);

#endif
