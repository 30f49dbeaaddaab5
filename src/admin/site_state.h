/*
 * What stands behind site.h: for the files of this folder only.
 */
#ifndef ZOMBIE_ADMIN_SITE_STATE_H
#define ZOMBIE_ADMIN_SITE_STATE_H

#include <stdint.h>
#include <sys/queue.h>

#include "admin/reach.h"
#include "admin/site.h"
#include "conf/conf.h"

struct feed;
struct handler;
struct http_request;
struct hub;
struct order;

#define SITE_ROUTES 12

/* What a handler finds as its settings. */
struct site_settings {
    struct admin_site *site;
    const char *order; /* the command that the route is for; NULL: none */
};

struct admin_site {
    struct admin_site_settings settings;
    struct conf conf; /* of the server: its own routes, limits for few and small requests */
    struct conf_route routes[SITE_ROUTES];
    struct site_settings route_settings[SITE_ROUTES];
    struct scoreboard *own; /* where the server counts, so that it is not counted among workers */
    struct http_server *server;
    struct feed *feed;               /* what the master says */
    struct hub *hub;                 /* who listens to it */
    LIST_HEAD(orders, order) orders; /* that the master is busy with */
    unsigned n_orders;
    struct reach_rules rules;
    int64_t epoch_ms;   /* CLOCK_REALTIME minus CLOCK_MONOTONIC when the site was made */
    int64_t refused_ms; /* when the log last heard of a wrong token */
    uint64_t refused;   /* wrong tokens, ever */
};

/* The site whose handler this request has come to. */
struct admin_site *site_of(const struct http_request *request);

/* The command of the control protocol that its route is for. */
const char *site_order(const struct http_request *request);

/* Free what is known of orders, when the feed is gone; they hold all the same. */
void order_forget_all(struct admin_site *site);

extern const struct handler admin_discovery;
extern const struct handler admin_events;
extern const struct handler admin_livez;
extern const struct handler admin_metrics;
extern const struct handler admin_order;
extern const struct handler admin_page;
extern const struct handler admin_readyz;
extern const struct handler admin_startupz;
extern const struct handler admin_status;

#endif
