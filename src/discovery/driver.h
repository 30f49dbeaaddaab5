/*
 * What a kind of registry can do: the one table of operations behind which Eureka, etcd,
 * Consul, ZooKeeper and the Distributor look alike. Who calls it decides when: see
 * registration.h for registering and discovery.h for all of it.
 *
 * A session is with one server of a registry. Nothing of it waits: what was begun ends in
 * a callback, which never comes from within the call that began it. In callbacks any call is
 * fine but close(), for which the caller waits until it is back in the loop.
 *
 * Whatever a server sends, and however slowly, a session bounds what it costs: memory by
 * DRIVER_ANSWER_MAX, time by conf->timeout_ms for each answer.
 */
#ifndef ZOMBIE_DISCOVERY_DRIVER_H
#define ZOMBIE_DISCOVERY_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/registry.h"
#include "discovery/backoff.h"
#include "discovery/member.h"

struct event_base;
struct evdns_base;
struct tls_client;

/* The largest answer in bytes that is read, or message of a stream. */
#define DRIVER_ANSWER_MAX (4 << 20)

/* What has become of a task, or why a look-up or a session has ended. */
enum driver_outcome {
    DRIVER_DONE,
    DRIVER_FORGOTTEN,   /* the registry does not know the instance (any more) */
    DRIVER_UNREACHABLE, /* no connection, no answer in time, 5xx, or one that makes no sense */
    DRIVER_DENIED,      /* the credentials or rights are wrong */
    DRIVER_REJECTED,    /* it will never take what it was told, as 400 */
    DRIVER_OUTCOMES
};

enum driver_task {
    DRIVER_REGISTER,   /* with record->status; also when it is registered already */
    DRIVER_HEARTBEAT,  /* still there, with the same status */
    DRIVER_REPORT,     /* record->status has changed */
    DRIVER_DEREGISTER, /* gone */
    DRIVER_TASKS
};

enum driver_status { DRIVER_STARTING, DRIVER_UP, DRIVER_DOWN, DRIVER_STATUSES };

/* "STARTING", "UP", "DOWN"; "unknown" for any other number. */
const char *driver_status_name(enum driver_status status);

/* What the instance says of itself; all texts live as long as the session. */
struct driver_record {
    const char *app;
    const char *instance_id;
    const char *host; /* the address or name that others reach it by, IPv6 without brackets */
    unsigned port;
    enum driver_status status;
    uint64_t stamp_ms;              /* wall clock; rises with each change of status */
    const struct conf_list *routes; /* "GET/path" for each route, which the Distributor tells */
};

struct driver_settings {
    struct event_base *base;
    struct evdns_base *dns;
    const struct conf_registry *conf; /* heartbeat, ttl, credentials, metadata, ... */
    const struct registry_url *url;   /* of this server */
    struct tls_client *tls;           /* NULL: no URL has https */

    /* The task that runs has ended; `why` ("" for DONE) is a phrase for the log, of this moment. */
    void (*done)(enum driver_outcome outcome, const char *why, void *arg);

    /* All members of a followed service now, in any order; `n` may be 0. */
    void (*found)(const char *service, const struct member *members, size_t n, void *arg);

    /* The service is not followed any more, until follow() is called again. */
    void (*lost)(const char *service, enum driver_outcome outcome, const char *why, void *arg);

    /*
     * The session is of no use any more, whatever runs in it: a connection that registration
     * hangs on has ended (UNREACHABLE) or a session has expired (FORGOTTEN). Comes at most once,
     * and neither done() nor lost() after it.
     */
    void (*broken)(enum driver_outcome outcome, const char *why, void *arg);
    void *arg;
};

struct driver {
    const char *name;            /* as registry.type has it */
    struct backoff_rule backoff; /* after failures */
    /* Returns 0 or -errno (-ENOMEM and the like: nothing of the network is waited for). */
    int (*open)(const struct driver_settings *settings, void **ret_session);
    /* One task at a time. The record is good until it has ended. */
    void (*begin)(void *session, enum driver_task task, const struct driver_record *record);
    /* Look a service up, now and whenever it changes or conf->refresh_ms is over. */
    void (*follow)(void *session, const char *service);
    /* Forget it all; what is registered stays so, if the registry lets it. */
    void (*close)(void *session);
};

extern const struct driver driver_consul;
extern const struct driver driver_distributor;
extern const struct driver driver_etcd;
extern const struct driver driver_eureka;
extern const struct driver driver_zookeeper; /* where it was built with its library */

/* The driver of a type; NULL: the program was built without it. */
const struct driver *driver_of(enum conf_registry_type type);

#endif
