/*
 * What stands behind proxy.h: for the files of this folder only.
 */
#ifndef ZOMBIE_PROXY_PROXY_STATE_H
#define ZOMBIE_PROXY_PROXY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "conf/option.h"
#include "conf/url.h"
#include "http/networks.h"
#include "proxy/proxy.h"
#include "proxy/upstream.h"

struct conf_route;

/* How much is read from a server at once. */
#define PROXY_SCRATCH_BYTES ((size_t)65536)

struct proxy {
    struct proxy_settings settings;
    struct upstream *upstreams; /* of settings.conf->upstreams, in that order */
    size_t n_upstreams;
    char *scratch;      /* PROXY_SCRATCH_BYTES, what a socket had */
    struct bytes lines; /* header fields of an answer */
    int64_t told_s;     /* the second in which the log was told of failures last, */
    unsigned n_told;    /* ... how often, */
    unsigned n_hushed;  /* ... and how often it was not */
};

/*
 * The upstream of that title; NULL: this configuration has none, or the master has not been able
 * to make it known yet.
 */
struct upstream *proxy_find(struct proxy *proxy, const char *title);

/*
 * This process is short of descriptors: close a connection that waits for a request, to any
 * server. Returns whether there was one.
 */
bool proxy_shed(struct proxy *proxy);

/* The options of `handler = proxy`. */
struct proxy_options {
    char *upstream; /* the title of one of conf->upstreams */
    char *proxy_to; /* or the URL of one server, "" without */
    bool strip_prefix;
    bool pass_host;
    bool upgrade;
    struct conf_list trusted_proxies;
    struct conf_list headers_up;
};

/* A route of the handler as a worker has it. */
struct proxy_route {
    const struct proxy_options *options;
    const char *title; /* of its upstream */
    const char *base;  /* goes before the paths of requests, which begin with '/' */
    size_t base_len;
    struct url url; /* where these are, if there is one */
    struct networks trusted;
    struct bytes headers_up;   /* as they are sent */
    struct upstream *upstream; /* NULL: nobody has looked yet */
};

#endif
