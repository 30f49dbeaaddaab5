/*
 * The effective configuration: what the file, the environment overlay, the
 * environment variables and the command line add up to. Made once by
 * conf_load(), read-only from then on.
 */
#ifndef ZOMBIE_CONF_CONF_H
#define ZOMBIE_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/log.h"
#include "base/network.h"
#include "conf/option.h"
#include "conf/registry.h"

/* The most workers that there may be. */
#define CONF_WORKERS_MAX 1024

/* The most upstreams, and servers of each, that there may be. */
#define CONF_UPSTREAMS_MAX 64
#define CONF_SERVERS_MAX   128

enum conf_crash_loop { CONF_CRASH_LOOP_RETRY, CONF_CRASH_LOOP_EXIT };

enum conf_affinity { CONF_AFFINITY_NO, CONF_AFFINITY_AUTO };

struct conf_instance {
    long containers;
    long workers; /* 0: auto */
    long max_workers;
    long reserve_cpus;
    char *user;    /* "": keep */
    char *group;   /* "": the user's own */
    char *chroot;  /* "": none */
    char *pidfile; /* "": none */
    bool daemon;
    int cpu_affinity; /* enum conf_affinity */
    long oom_score_adj;
    bool core_dumps;
    bool landlock;
    long grace_ms;
    long drain_delay_ms;
    long drain_idle_ms;
    long boot_timeout_ms;
    long backoff_min_ms;
    long backoff_max_ms;
    long respawn_per_second;
    long respawn_per_10s;
    int on_crash_loop;    /* enum conf_crash_loop */
    long hang_timeout_ms; /* 0: never; else at least 2000 */
    long hang_signal;     /* a number of signal(7) */
    long max_requests;    /* 0: no limit */
    long max_memory;      /* bytes; 0: no limit */
    long max_age_ms;      /* 0: no limit */
};

struct conf_log {
    int level;  /* enum log_level */
    int format; /* enum log_format */
    char *target;
};

/* Where one request a line goes, in addition to the log of what the server does. */
struct conf_access_log {
    char *target; /* "off", "stderr", "stdout" or a path */
    char *format; /* what access_format_compile() takes */
    long buffer_bytes;
    long flush_ms;
};

/* What a client may ask of a worker; 0 means no limit where the options say so. */
struct conf_http {
    long keepalive_ms;
    long keepalive_total_ms;
    long keepalive_requests;
    long header_ms;
    long body_ms;
    long send_ms;
    long min_rate; /* bytes per second */
    long max_header_bytes;
    long max_headers;
    long max_uri_bytes;
    long max_body_bytes;
    long max_bodies_bytes;
    long max_connections;
    long max_connections_per_client;
    long max_pipelined;
    struct conf_list hosts; /* names that are answered; none: all */
};

/* The unix socket that zombiectl speaks to. */
struct conf_control {
    char *socket; /* "auto", "off" or a path */
    long mode;    /* permission bits */
    char *user;   /* "": keep */
    char *group;  /* "": keep */
};

/* The HTTP side for those who watch. */
struct conf_admin {
    char *listen;           /* "off" or an address */
    char *token;            /* "": none */
    struct conf_list hosts; /* names that are answered; none: see admin/site.h */
};

struct conf_chaos {
    bool enabled;
    struct conf_list networks; /* of CIDR texts, each one checked */
    char *token;               /* "": none */
};

/* What zombie-distributor does; zombie-server only reads it. */
struct conf_distributor {
    char *listen;
    long max_nodes;
    long max_frame_bytes;
    struct conf_list networks; /* of CIDR texts, each one checked; none: all */
    long send_timeout_ms;
    long keepalive_ms;
    char *control; /* "auto", "off" or a path */
};

/* How workers share a listener: one socket and one queue, or a socket for each slot. */
enum conf_accept { CONF_ACCEPT_EXCLUSIVE, CONF_ACCEPT_REUSEPORT };

struct conf_listen {
    char *title;
    struct address address;
    int accept; /* enum conf_accept */
    long backlog;
    long mode;                /* permission bits of a unix socket's file */
    const char *user;         /* its owner, */
    const char *group;        /* ... and group; NULL or "": as made */
    const char *announcement; /* what the log says before the address; NULL: "listening on" */
};

/* max_body of a route that has none of its own: http.max_body_bytes holds. */
#define CONF_INHERIT (-1)

struct conf_route {
    char *pattern;
    struct conf_pattern *parsed; /* the same, taken apart */
    const struct conf_handler *handler;
    void *settings; /* handler->settings_size bytes, filled by handler->options */
    /* What any route may say, whatever its handler. */
    char *handler_name;
    long timeout_ms; /* 0: none */
    char *timeout_text;
    long max_body; /* bytes, or CONF_INHERIT */
    struct conf_list allow;
    struct conf_list deny;
    struct conf_list headers; /* "Name: value", each one checked */
    bool access_log;
};

/* How the next server of an upstream is chosen. */
enum conf_balance {
    CONF_BALANCE_ROUND_ROBIN,
    CONF_BALANCE_LEAST_CONN,
    CONF_BALANCE_IP_HASH,
    CONF_BALANCE_RANDOM_TWO
};

/* Bits of conf_upstream.next: when another server is tried. */
enum conf_next {
    CONF_NEXT_ERROR = 1,
    CONF_NEXT_TIMEOUT = 2,
    CONF_NEXT_INVALID_HEADER = 4,
    CONF_NEXT_HTTP_500 = 8,
    CONF_NEXT_HTTP_502 = 16,
    CONF_NEXT_HTTP_503 = 32,
    CONF_NEXT_HTTP_504 = 64,
    CONF_NEXT_HTTP_403 = 128,
    CONF_NEXT_HTTP_404 = 256,
    CONF_NEXT_HTTP_429 = 512,
    CONF_NEXT_NON_IDEMPOTENT = 1024
};

struct conf_server {
    char *title;
    bool is_name; /* title is "host:port", to be resolved; else: */
    struct address address;
    long weight;
    long max_fails; /* 0: never left out */
    long fail_timeout_ms;
    long max_conns;     /* 0: no limit */
    long slow_start_ms; /* 0: at once */
    bool backup;
    bool down;
};

/* Active checks of each server. */
struct conf_check_rule {
    char *path; /* "": no checks */
    long interval_ms;
    long timeout_ms;
    long rise;
    long fall;
    long status_min;
    long status_max;
};

struct conf_upstream {
    char *title;
    bool from_registry; /* the members of the service of this title are servers, too */
    int balance;        /* enum conf_balance */
    long keepalive;     /* idle connections of each worker; 0: none */
    long keepalive_idle_ms;
    long keepalive_requests; /* 0: no limit */
    long connect_timeout_ms;
    long send_timeout_ms;
    long read_timeout_ms;
    unsigned next;        /* bits of enum conf_next */
    long next_tries;      /* 0: no limit */
    long next_timeout_ms; /* 0: no limit */
    long retry_body_bytes;
    long max_header_bytes;
    long eject_latency; /* times the median of the others; 0: off */
    struct conf_check_rule check;
    struct conf_server *servers;
    size_t n_servers;
};

struct conf {
    struct conf_instance instance;
    struct conf_log log;
    struct conf_access_log access_log;
    struct conf_http http;
    struct conf_control control;
    struct conf_admin admin;
    struct conf_chaos chaos;
    struct conf_registry registry;
    struct conf_distributor distributor;
    struct conf_listen *listens;
    size_t n_listens;
    struct conf_route *routes;
    size_t n_routes;
    struct conf_upstream *upstreams;
    size_t n_upstreams;
    struct conf_assignments *assignments; /* what was said where, for conf_dump() */
};

/*
 * What admin.listen means: a listener of the conf's life, whose title is borrowed from it.
 * Returns whether there is one.
 */
bool conf_admin_listen(const struct conf *conf, struct conf_listen *ret_listen);

/* Open the log that the section describes; as log_open(). */
__attribute__((warn_unused_result)) int conf_open_log(const struct conf_log *log);

/* Free what the route holds, but for its own memory. */
void conf_route_clear(struct conf_route *route);

/* Free all of it; NULL is fine. */
void conf_free(struct conf *conf);

#endif
