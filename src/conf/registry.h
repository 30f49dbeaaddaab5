/*
 * The section `registry` of the configuration: where the instance registers and which services
 * it looks up.
 */
#ifndef ZOMBIE_CONF_REGISTRY_H
#define ZOMBIE_CONF_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/option.h"

enum conf_registry_type {
    CONF_REGISTRY_NONE,
    CONF_REGISTRY_EUREKA,
    CONF_REGISTRY_CONSUL,
    CONF_REGISTRY_ETCD,
    CONF_REGISTRY_ZOOKEEPER,
    CONF_REGISTRY_DISTRIBUTOR,
    CONF_REGISTRY_TYPES
};

/* The most servers of a registry. */
#define CONF_REGISTRY_URLS_MAX 16

/* The most services that are looked up, and the longest name of one in bytes. */
#define CONF_REGISTRY_WATCH_MAX 64
#define CONF_REGISTRY_NAME_MAX  127

/* A URL, taken apart (RFC 3986 section 3); all texts allocated. */
struct registry_url {
    bool is_tls;    /* https */
    char *host;     /* a name in lower case, or an address; IPv6 without brackets */
    unsigned port;  /* the type's own when the URL has none */
    char *path;     /* "" or "/a/b", without a '/' at its end */
    char *user;     /* of this URL, percent-decoded; NULL: none */
    char *password; /* NULL: none */
    char *text;     /* "scheme://host:port/path" for logs: no credentials */
};

struct conf_registry {
    int type;                  /* enum conf_registry_type */
    struct conf_list url;      /* as written: "http://user:password@host:port/path" */
    struct registry_url *urls; /* the same, taken apart; at least one unless the type is NONE */
    size_t n_urls;
    char *user;          /* "": none */
    char *password;      /* "": none; of password_file or REGISTRY_PASSWORD, if those are set */
    char *password_file; /* "": none */
    bool is_exposed;     /* password_file was read, and others may read it, too */
    bool enroll;         /* whether the instance registers itself; key `register` */
    char *app;
    char *instance_id;    /* "": host:app:port */
    char *advertise_host; /* "": that of the first TCP listener */
    long advertise_port;  /* 0: that of the first TCP listener */
    long heartbeat_ms;
    long ttl_ms;
    long timeout_ms;
    long deregister_timeout_ms;
    long down_delay_ms;
    long refresh_ms;
    long weight;
    long max_fails;
    long fail_timeout_ms;
    struct conf_list metadata; /* "KEY=VALUE" */
    struct conf_list watch;    /* names of services */
    char *prefix;              /* of keys in etcd and nodes in ZooKeeper: "/services" */
    char *cache_file;          /* "": none */
    char *ca_file;             /* PEM; "": what the system trusts */
    char *cert_file;           /* "": none */
    char *key_file;            /* "": in cert_file */
};

/*
 * Whom to log in as at this server, and how: what its URL says, else the section; NULL: nobody, and
 * without. A URL with a user name only has the password of the section.
 */
const char *conf_registry_user(const struct conf_registry *registry,
                               const struct registry_url *url);
const char *conf_registry_password(const struct conf_registry *registry,
                                   const struct registry_url *url);

/* "none", "eureka", "consul", "etcd", "zookeeper", "distributor"; NULL-terminated. */
extern const char *const conf_registry_types[];
const char *conf_registry_type_name(enum conf_registry_type type);

#endif
