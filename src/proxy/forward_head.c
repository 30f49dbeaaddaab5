/* The head of a request as a server of an upstream gets it. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "http/fields.h"
#include "http/octets.h"
#include "http/request.h"
#include "proxy/forward_state.h"
#include "proxy/forwarded.h"
#include "proxy/hop_by_hop.h"
#include "proxy/proxy_state.h"

/* Of the values of one name these are looked at, the last ones: nobody needs so many. */
#define MAX_VALUES 16

/* A request that has passed so many proxies goes round in a circle. */
#define MAX_HOPS 32

struct values {
    struct slice at[MAX_VALUES];
    size_t n;
};

/* What some fields say, before the others are passed on. */
struct facts {
    struct values connection;
    struct values te;
    struct values sent[FORWARDED_FIELDS];
    struct slice upgrade;
};

/* Whoever passes a request on appends to it: the first values are the least to be believed. */
static void keep(struct values *lines, struct slice value)
{
    if (lines->n == MAX_VALUES)
        memmove(lines->at, lines->at + 1, --lines->n * sizeof value);
    lines->at[lines->n++] = value;
}

static void gather(const struct http_request *request, struct facts *facts)
{
    struct slice name, value;
    for (size_t at = 0; request_next_field(request, &at, &name, &value);) {
        enum forwarded_field field = forwarded_field(name);
        if (field < FORWARDED_FIELDS)
            keep(&facts->sent[field], value);
        else if (OCTETS_ARE(name, "connection"))
            keep(&facts->connection, value);
        else if (OCTETS_ARE(name, "te"))
            keep(&facts->te, value);
        else if (OCTETS_ARE(name, "upgrade"))
            facts->upgrade = value;
    }
}

/* How many have passed it on so far: Via is a list of them (RFC 9110 section 7.6.3). */
static size_t count_hops(struct slice via)
{
    size_t n = 1;
    for (size_t i = 0; i < via.len; i++)
        n += via.at[i] == ',';
    return n;
}

int forward_judge(const struct http_request *request)
{
    struct slice name, value;
    size_t hops = 0, n_connections = 0;
    for (size_t at = 0; request_next_field(request, &at, &name, &value);) {
        if (OCTETS_ARE(name, "via"))
            hops += count_hops(value);
        else if (OCTETS_ARE(name, "connection"))
            n_connections++;
    }
    if (hops > MAX_HOPS)
        return -ELOOP;
    return n_connections <= MAX_VALUES ? 0 : -EPROTO;
}

/* Fields that are written anew, whatever the client says. */
static bool is_own(struct slice name)
{
    if (OCTETS_ARE(name, "host") || OCTETS_ARE(name, "content-length") ||
        OCTETS_ARE(name, "expect") || OCTETS_ARE(name, "traceparent"))
        return true;
    return forwarded_field(name) != FORWARDED_OTHER;
}

bool forward_writes(struct slice name)
{
    return is_own(name) || hop_by_hop(&name, NULL, 0);
}

/* The configuration has another value for it. */
static bool is_replaced(const struct forward *forward, struct slice name)
{
    const struct conf_list *fields = &forward->route->options->headers_up;
    for (size_t i = 0; i < fields->n; i++)
        if (strncasecmp(fields->items[i], name.at, name.len) == 0 &&
            fields->items[i][name.len] == ':')
            return true;
    return false;
}

static void add_field(struct bytes *out, const char *name, const char *value, size_t len)
{
    bytes_add_text(out, name);
    bytes_add(out, ": ", 2);
    bytes_add(out, value, len);
    bytes_add(out, "\r\n", 2);
}

/* What of the request's target and host goes on; slices of what the client has sent. */
struct target {
    struct slice path;
    struct slice query;
    struct slice host;
};

static void add_target(const struct forward *forward, const struct target *target,
                       struct bytes *out)
{
    const struct proxy_options *options = forward->route->options;
    bytes_add(out, forward->route->base, forward->route->base_len);
    if (options->strip_prefix) {
        bytes_add(out, "/", 1);
        bytes_add_text(out, request_raw_path_below(forward->request));
    } else {
        bytes_add(out, target->path.at, target->path.len);
    }
    if (target->query.len > 0) {
        bytes_add(out, "?", 1);
        bytes_add(out, target->query.at, target->query.len);
    }
}

/* The name of the server that is asked: as configured, if it is the only one. */
static struct slice name_of_server(const struct forward *forward)
{
    const struct conf_upstream *conf = forward->upstream->conf;
    const char *name = conf->n_servers == 1 ? conf->servers[0].title : forward->pick.name;
    size_t len = strlen(name);
    if (strncmp(name, "unix:", 5) == 0)
        return (struct slice){"localhost", 9};
    if (len > 3 && strcmp(name + len - 3, ":80") == 0)
        len -= 3; /* the usual port goes without saying (RFC 9110 section 7.2) */
    return (struct slice){name, len};
}

/* An HTTP/1.0 client need not say which host it means. */
static void add_host(const struct forward *forward, struct slice host, struct bytes *out)
{
    if (!forward->route->options->pass_host || host.len == 0)
        host = name_of_server(forward);
    add_field(out, "Host", host.at, host.len);
}

static void add_theirs(const struct forward *forward, const struct facts *facts, struct bytes *out)
{
    struct slice name, value;
    for (size_t at = 0; request_next_field(forward->request, &at, &name, &value);) {
        if (is_own(name) || hop_by_hop(&name, facts->connection.at, facts->connection.n) ||
            is_replaced(forward, name))
            continue;
        fields_add(out, name, value);
    }
}

static void add_way(const struct forward *forward, const struct facts *facts, struct slice host,
                    struct bytes *out)
{
    struct forwarded way = {
        .client = request_client(forward->request),
        .proto = "http",
        .host = host,
        .minor = request_minor(forward->request),
        .is_trusted = networks_contain(&forward->route->trusted, request_client(forward->request)),
    };
    for (int i = 0; i < FORWARDED_FIELDS; i++)
        way.sent[i] = (struct forwarded_values){facts->sent[i].at, facts->sent[i].n};
    forwarded_add(out, &way);
}

/* RFC 9110 section 8.6: a body may be expected, so that there is none must be said. */
static bool may_have_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static void add_framing(const struct forward *forward, struct bytes *out)
{
    uint64_t len = request_body_length(forward->request);
    if (len == REQUEST_CHUNKED) {
        bytes_add_text(out, "Transfer-Encoding: chunked\r\n");
    } else if (len > 0 || may_have_body(request_method(forward->request))) {
        bytes_add_text(out, "Content-Length: ");
        bytes_add_number(out, len);
        bytes_add(out, "\r\n", 2);
    }
}

/* What holds between us and the server only. */
static void add_connection(struct forward *forward, const struct facts *facts, struct bytes *out)
{
    bool wants_trailers = hop_by_hop_names(facts->te.at, facts->te.n, "trailers");
    if (forward->wants_upgrade) {
        add_field(out, "Upgrade", facts->upgrade.at, facts->upgrade.len);
        bytes_add_text(out, "Connection: upgrade\r\n");
    } else if (forward->upstream->conf->keepalive == 0) {
        bytes_add_text(out, wants_trailers ? "Connection: close, TE\r\n" : "Connection: close\r\n");
    } else if (wants_trailers) {
        bytes_add_text(out, "Connection: TE\r\n");
    }
    if (wants_trailers && !forward->wants_upgrade)
        bytes_add_text(out, "TE: trailers\r\n");
}

/*
 * RFC 9110 section 7.8: an upgrade is asked for by both fields, and not in HTTP/1.0. Not to h2c,
 * within which a client could ask servers behind our back for what routes and limits forbid.
 */
static bool asks_upgrade(const struct forward *forward, const struct facts *facts)
{
    return !hop_by_hop_names(&facts->upgrade, 1, "h2c") && forward->route->options->upgrade &&
           facts->upgrade.len > 0 && request_minor(forward->request) > 0 &&
           request_body_length(forward->request) == 0 &&
           hop_by_hop_names(facts->connection.at, facts->connection.n, "upgrade");
}

void forward_render_head(struct forward *forward)
{
    struct bytes *out = &forward->out;
    const char *trace = request_traceparent(forward->request);
    struct facts facts = {.upgrade = {NULL, 0}};
    struct target target;
    request_target(forward->request, &target.path, &target.query, &target.host);
    gather(forward->request, &facts);
    forward->wants_upgrade = asks_upgrade(forward, &facts);
    bytes_clear(out);
    bytes_add_text(out, request_method(forward->request));
    bytes_add(out, " ", 1);
    add_target(forward, &target, out);
    bytes_add_text(out, " HTTP/1.1\r\n");
    add_host(forward, target.host, out);
    add_theirs(forward, &facts, out);
    add_way(forward, &facts, target.host, out);
    add_field(out, "traceparent", trace, strlen(trace));
    bytes_add(out, forward->route->headers_up.at, forward->route->headers_up.len);
    add_framing(forward, out);
    add_connection(forward, &facts, out);
    bytes_add(out, "\r\n", 2);
}

void forward_add_piece(const struct forward *forward, struct bytes *out, const char *data,
                       size_t len, bool last)
{
    char line[24];
    bool in_chunks = request_body_length(forward->request) == REQUEST_CHUNKED;
    if (len > 0 && in_chunks)
        bytes_add(out, line, (size_t)snprintf(line, sizeof line, "%zx\r\n", len));
    bytes_add(out, data, len);
    if (len > 0 && in_chunks)
        bytes_add(out, "\r\n", 2);
    if (!last || !in_chunks)
        return;
    const char *trailers = request_trailers(forward->request, &len);
    bytes_add_text(out, "0\r\n");
    bytes_add(out, trailers, len);
    bytes_add_text(out, "\r\n");
}
