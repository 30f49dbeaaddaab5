#include "config.h"

#include "admin/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "admin/feed.h"
#include "admin/hub.h"
#include "admin/site_state.h"
#include "base/clock.h"
#include "conf/pattern.h"
#include "http/handlers/handler.h"
#include "http/request.h"
#include "http/server.h"
#include "ipc/scoreboard.h"

static const struct {
    const char *pattern;
    const struct handler *handler;
    const char *order;
} rows[] = {
    {"GET /{$}", &admin_page, NULL},
    {"GET /status", &admin_status, NULL},
    {"GET /events", &admin_events, NULL},
    {"GET /metrics", &admin_metrics, NULL},
    {"GET /livez", &admin_livez, NULL},
    {"GET /readyz", &admin_readyz, NULL},
    {"GET /startupz", &admin_startupz, NULL},
    {"GET /discovery", &admin_discovery, NULL},
    {"GET /discovery/{name}", &admin_discovery, NULL},
    {"POST /restart", &admin_order, "restart"},
    {"POST /scale", &admin_order, "scale"},
    {"POST /kill", &admin_order, "kill"},
};

_Static_assert(sizeof rows / sizeof rows[0] == SITE_ROUTES, "each row has its route");

/* Few clients, who ask for little, and may stay. */
static const struct conf_http limits = {
    .keepalive_ms = 75000,
    .keepalive_requests = 100000,
    .header_ms = 2000, /* or those that never finish would keep probes waiting */
    .body_ms = 10000,
    .send_ms = 10000,
    .max_header_bytes = 16384,
    .max_headers = 100,
    .max_uri_bytes = 2048,
    .max_body_bytes = 4096,
    .max_bodies_bytes = 1048576,
    .max_connections = 256,
    .max_pipelined = 16,
};

struct admin_site *site_of(const struct http_request *request)
{
    const struct site_settings *settings = request_settings(request);
    return settings->site;
}

const char *site_order(const struct http_request *request)
{
    const struct site_settings *settings = request_settings(request);
    return settings->order;
}

static int add_route(struct admin_site *site, size_t i)
{
    struct conf_route *route = &site->routes[i];
    const char *why;
    site->route_settings[i] = (struct site_settings){site, rows[i].order};
    *route = (struct conf_route){.pattern = (char *)rows[i].pattern,
                                 .handler = &rows[i].handler->conf,
                                 .handler_name = (char *)rows[i].handler->conf.name,
                                 .settings = &site->route_settings[i],
                                 .max_body = CONF_INHERIT};
    return pattern_parse(rows[i].pattern, &route->parsed, &why);
}

static int compose(struct admin_site *site)
{
    int err = 0;
    site->conf.http = limits;
    site->conf.http.hosts = site->settings.conf->admin.hosts;
    site->conf.routes = site->routes;
    for (size_t i = 0; i < SITE_ROUTES && err == 0; i++, site->conf.n_routes++)
        err = add_route(site, i);
    return err;
}

static int set_rules(struct admin_site *site)
{
    const struct conf_admin *admin = &site->settings.conf->admin;
    struct conf_listen listen;
    if (!conf_admin_listen(site->settings.conf, &listen))
        return -EINVAL;
    bool is_local = address_is_local(&listen.address);
    bool is_unix = listen.address.storage.ss_family == AF_UNIX;
    site->rules = (struct reach_rules){.is_local = is_local,
                                       .own_names = is_local && !is_unix && admin->hosts.n == 0,
                                       .token = admin->token};
    return 0;
}

static void note_epoch(struct admin_site *site)
{
    site->epoch_ms = clock_wall_ms() - clock_now_ms();
}

static int start_server(struct admin_site *site)
{
    struct http_server_settings settings = {.base = site->settings.base,
                                            .conf = &site->conf,
                                            .identity = site->settings.identity,
                                            .scoreboard = scoreboard_at(site->own, 0),
                                            .access_log_fd = -1};
    return http_server_new(&settings, &site->server);
}

static void on_event(const json_t *event, void *arg)
{
    struct admin_site *site = arg;
    hub_tell(event, site->hub);
}

static void on_caught_up(void *arg)
{
    struct admin_site *site = arg;
    hub_catch_up(site->hub);
}

static void on_lost(void *arg)
{
    const struct admin_site *site = arg;
    site->settings.lost(site->settings.arg);
}

static int start_feed(struct admin_site *site)
{
    const struct feed_listener listener = {on_event, on_caught_up, on_lost, site};
    return feed_new(site->settings.base, site->settings.control_fd, &listener, &site->feed);
}

/* The feed comes last: with it the descriptor belongs to the site. */
static int set_up(struct admin_site *site)
{
    const struct admin_site_settings *settings = &site->settings;
    note_epoch(site);
    int err = set_rules(site);
    if (err == 0)
        err = compose(site);
    if (err == 0)
        err = scoreboard_new(1, &site->own);
    if (err == 0)
        err = hub_new(settings->base, settings->scoreboard, &site->hub);
    if (err == 0)
        err = start_server(site);
    if (err == 0)
        err = start_feed(site);
    return err;
}

int admin_site_new(const struct admin_site_settings *settings, struct admin_site **ret_site)
{
    struct admin_site *site = calloc(1, sizeof *site);
    if (site == NULL)
        return -ENOMEM;
    site->settings = *settings;
    LIST_INIT(&site->orders);
    int err = set_up(site);
    if (err != 0) {
        admin_site_free(site);
        return err;
    }
    hub_set_feed(site->hub, site->feed);
    *ret_site = site;
    return 0;
}

int admin_site_accept(struct admin_site *site, const int *listeners, size_t n)
{
    return http_server_accept(site->server, listeners, n);
}

void admin_site_drain(struct admin_site *site, const struct http_drain *drain)
{
    http_server_drain(site->server, drain);
    hub_end(site->hub);
}

/* Streams end as whole ones do; then the server, which tells those who wait for the feed. */
void admin_site_free(struct admin_site *site)
{
    if (site == NULL)
        return;
    if (site->hub != NULL)
        hub_end(site->hub);
    http_server_free(site->server);
    feed_free(site->feed);
    order_forget_all(site);
    hub_free(site->hub);
    scoreboard_free(site->own);
    for (size_t i = 0; i < SITE_ROUTES; i++)
        pattern_free(site->routes[i].parsed);
    free(site);
}
