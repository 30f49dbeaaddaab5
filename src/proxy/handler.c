/* `handler = proxy`: requests of a route go to the servers of an upstream. */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/upstream.h"
#include "conf/url.h"
#include "http/fields.h"
#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"
#include "proxy/forward.h"
#include "proxy/forward_state.h"
#include "proxy/proxy_state.h"

#define OPTION(name) .key = #name, .offset = offsetof(struct proxy_options, name)

static const struct conf_option rows[] = {
    {OPTION(upstream), .type = CONF_TEXT, .max = 64, .fallback = "",
     .help = "the upstream whose servers answer; or proxy_to"},
    {OPTION(proxy_to), .type = CONF_TEXT, .max = 2048, .fallback = "",
     .help = "the URL of one server that answers, its path goes before the request's"},
    {OPTION(strip_prefix), .type = CONF_BOOL, .fallback = "no",
     .help = "whether the part of the path that the pattern gives is left out"},
    {OPTION(pass_host), .type = CONF_BOOL, .fallback = "yes",
     .help = "whether servers see the client's Host, or their own name"},
    {OPTION(upgrade), .type = CONF_BOOL, .fallback = "yes",
     .help = "whether clients may switch to another protocol, such as WebSocket"},
    {OPTION(trusted_proxies), .type = CONF_NETWORKS, .fallback = "",
     .help = "networks of proxies whose X-Forwarded-For and Forwarded are passed on"},
    {OPTION(headers_up), .type = CONF_FIELDS, .min = 3, .max = 4096, .fallback = "",
     .help = "header fields that requests get, in place of the client's own"},
    {.key = NULL},
};

static const char *check(const void *settings)
{
    const struct proxy_options *options = settings;
    bool has_upstream = options->upstream[0] != '\0', has_url = options->proxy_to[0] != '\0';
    for (size_t i = 0; i < options->headers_up.n; i++) {
        const char *field = options->headers_up.items[i];
        if (forward_writes((struct slice){field, strcspn(field, ":")}))
            return "headers_up: Host, traceparent and what is about the client, the body or the "
                   "connection are written by the proxy itself";
    }
    if (has_upstream && has_url)
        return "proxy_to: there is an upstream already";
    return has_upstream || has_url ? NULL : "upstream: it is missing, and proxy_to as well";
}

static int resolve(struct conf *conf, void *settings, char *why)
{
    const struct proxy_options *options = settings;
    const char *fault;
    struct url url;
    if (options->upstream[0] != '\0')
        return conf_upstream_require(conf, "upstream", options->upstream, why);
    if (url_parse(options->proxy_to, &url, &fault) == 0)
        return conf_upstream_add_implicit(conf, "proxy_to", url.host_port, why);
    snprintf(why, CONF_WHY_SIZE, "proxy_to: %s", fault);
    return -EINVAL;
}

static void drop(void *state)
{
    struct proxy_route *route = state;
    networks_free(&route->trusted);
    bytes_free(&route->headers_up);
    free(route);
}

/* Where to: the title of an upstream, and what goes before paths. */
static void read_target(const struct proxy_options *options, struct proxy_route *route)
{
    const char *why;
    bool has_url = url_parse(options->proxy_to, &route->url, &why) == 0;
    route->title = has_url ? route->url.host_port : options->upstream;
    route->base = has_url ? route->url.base : "";
    route->base_len = strlen(route->base);
    if (route->base_len > 0 && route->base[route->base_len - 1] == '/')
        route->base_len--;
}

static int init(const struct conf_route *conf, void **ret_state)
{
    const struct proxy_options *options = conf->settings;
    struct proxy_route *route = calloc(1, sizeof *route);
    if (route == NULL)
        return -ENOMEM;
    route->options = options;
    read_target(options, route);
    int err = networks_read(&options->trusted_proxies, &route->trusted);
    fields_add_list(&route->headers_up, &options->headers_up);
    if (err != 0 || route->headers_up.failed) {
        drop(route);
        return -ENOMEM;
    }
    *ret_state = route;
    return 0;
}

static void serve(struct http_request *request)
{
    struct proxy *proxy = request_context(request);
    struct proxy_route *route = request_state(request);
    if (route->upstream == NULL)
        route->upstream = proxy_find(proxy, route->title);
    if (route->upstream == NULL)
        reply_error(request, 502, "the upstream is not known yet, try again later");
    else
        forward_begin(request, proxy, route);
}

const struct handler handler_proxy = {
    .conf = {.name = "proxy",
             .methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
             .opens_files = true, /* a connection to a server */
             .options = rows,
             .settings_size = sizeof(struct proxy_options),
             .check = check,
             .resolve = resolve},
    .streams_body = true,
    .init = init,
    .serve = serve,
    .drop = drop,
};
