#include "config.h"

#include "herald/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/dice.h"
#include "base/log.h"
#include "base/number.h"
#include "conf/conf.h"
#include "herald/renewal.h"
#include "herald/resolver.h"
#include "proxy/balancer.h"

/* A server that a name stands in. */
struct target {
    char *upstream;
    char *server; /* "host:port" */
    unsigned port;
    bool is_found; /* by a registry; else it is of the configuration */
};

struct name {
    struct names *names;
    char *host;
    struct target *targets;
    size_t n_targets;
    struct renewal renewal;
    struct event *timer;
    struct lookup *lookup;     /* under way; NULL: none */
    bool asked;                /* once, at least */
    const char *error;         /* as the log last had it; NULL: none */
    struct address *addresses; /* the last ones known */
    size_t n;
};

struct names {
    struct names_settings settings; /* but for `resolver` */
    struct event_base *base;
    struct resolver *resolver;
    struct name **items;
    size_t n;
};

bool names_are_wanted(const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_upstreams; i++)
        for (size_t j = 0; j < conf->upstreams[i].n_servers; j++)
            if (conf->upstreams[i].servers[j].is_name)
                return true;
    return false;
}

/* --- The list ---------------------------------------------------------------------- */

static struct name *find(struct names *names, const char *host, size_t len)
{
    for (size_t i = 0; i < names->n; i++)
        if (strlen(names->items[i]->host) == len &&
            strncasecmp(names->items[i]->host, host, len) == 0)
            return names->items[i];
    return NULL;
}

static void on_due(evutil_socket_t fd, short what, void *arg);

/* What the resolver still does for it ends with the resolver. */
static void name_free(struct name *name)
{
    for (size_t i = 0; i < name->n_targets; i++) {
        free(name->targets[i].upstream);
        free(name->targets[i].server);
    }
    if (name->timer != NULL)
        event_free(name->timer);
    free(name->host);
    free(name->targets);
    free(name->addresses);
    free(name);
}

static struct name *make_name(struct names *names, const char *host, size_t len)
{
    struct name *name = calloc(1, sizeof *name);
    if (name == NULL)
        return NULL;
    name->names = names;
    name->host = strndup(host, len);
    name->timer = event_new(names->base, -1, 0, on_due, name);
    if (name->host != NULL && name->timer != NULL)
        return name;
    name_free(name);
    return NULL;
}

static struct name *add_name(struct names *names, const char *host, size_t len)
{
    struct name **items = realloc(names->items, (names->n + 1) * sizeof(struct name *));
    if (items == NULL)
        return NULL;
    names->items = items;
    items[names->n] = make_name(names, host, len);
    return items[names->n] != NULL ? items[names->n++] : NULL;
}

static int add_target(struct name *name, const struct target *target)
{
    struct target *targets = realloc(name->targets, (name->n_targets + 1) * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    name->targets = targets;
    struct target *copy = &targets[name->n_targets];
    *copy = *target;
    copy->upstream = strdup(target->upstream);
    copy->server = strdup(target->server);
    if (copy->upstream != NULL && copy->server != NULL) {
        name->n_targets++;
        return 0;
    }
    free(copy->upstream);
    free(copy->server);
    return -ENOMEM;
}

static int add_server(struct names *names, struct target *target)
{
    const char *colon = strrchr(target->server, ':');
    long port = 0;
    if (colon == NULL || number_parse(colon + 1, 0, UINT16_MAX, &port) != 0)
        return 0; /* endpoint_parse() lets none of these through */
    size_t len = (size_t)(colon - target->server);
    struct name *name = find(names, target->server, len);
    target->port = (unsigned)port;
    if (name == NULL)
        name = add_name(names, target->server, len);
    return name != NULL ? add_target(name, target) : -ENOMEM;
}

static int add_servers(struct names *names, const char *upstream, const struct conf_server *servers,
                       size_t n, bool are_found)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < n; i++) {
        struct target target = {
            .upstream = (char *)upstream, .server = servers[i].title, .is_found = are_found};
        if (servers[i].is_name)
            err = add_server(names, &target);
    }
    return err;
}

int names_new(const struct names_settings *settings, struct names **ret_names)
{
    const struct conf *conf = settings->conf;
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return -ENOMEM;
    names->settings = *settings;
    names->settings.resolver = NULL;
    names->base = settings->resolver->base;
    int err = resolver_new(settings->resolver, &names->resolver);
    for (size_t i = 0; err == 0 && i < conf->n_upstreams; i++)
        err = add_servers(names, conf->upstreams[i].title, conf->upstreams[i].servers,
                          conf->upstreams[i].n_servers, false);
    if (err != 0) {
        names_free(names);
        return err;
    }
    *ret_names = names;
    return 0;
}

/* --- What is found ------------------------------------------------------------------- */

static void wait_for_turn(struct name *name, int64_t now_ms)
{
    int64_t wait_ms = name->renewal.due_ms > now_ms ? name->renewal.due_ms - now_ms : 0;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(name->timer, &wait);
}

/* One line when a name cannot be looked up, and one when it can again. */
static void tell_failure(struct name *name, const char *error, int64_t now_ms)
{
    int64_t wait_ms = name->renewal.due_ms - now_ms;
    if (name->error == NULL || strcmp(name->error, error) != 0)
        log_warning("the name %s cannot be looked up: %s, %s; trying again in %" PRId64 " ms",
                    name->host, error,
                    name->n > 0 ? "its last known addresses stay" : "it has had none so far",
                    wait_ms);
    name->error = error;
}

static void fail(struct name *name, const char *error)
{
    int64_t now_ms = clock_now_ms();
    renewal_fail(&name->renewal, dice_throw(), now_ms);
    tell_failure(name, error, now_ms);
    wait_for_turn(name, now_ms);
}

static bool is_same(const struct name *name, const struct address *addresses, size_t n)
{
    if (name->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!address_equal(&name->addresses[i], &addresses[i]))
            return false;
    return true;
}

/* "10.0.0.1, 10.0.0.2 and 3 more" */
static void tell_change(const struct name *name)
{
    char text[4 * ADDRESS_TEXT_SIZE] = "";
    size_t shown = name->n > 3 ? 3 : name->n, len = 0;
    for (size_t i = 0; i < shown; i++) {
        char one[ADDRESS_TEXT_SIZE];
        address_format(&name->addresses[i], one);
        char *port = strrchr(one, ':');
        if (port != NULL)
            *port = '\0';
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? ", " : "", one);
    }
    if (shown < name->n)
        snprintf(text + len, sizeof text - len, " and %zu more", name->n - shown);
    log_info("the name %s stands for %s", name->host, text);
}

/* What was found, and what was known before of a family that could not be asked for. */
static size_t join(const struct name *name, const struct resolver_answer *answer,
                   struct address *ret_addresses)
{
    size_t n = answer->n;
    memcpy(ret_addresses, answer->addresses, n * sizeof *ret_addresses);
    for (size_t i = 0; i < name->n && n < RESOLVER_ADDRESSES; i++)
        if (answer->missing != 0 && name->addresses[i].storage.ss_family == answer->missing)
            ret_addresses[n++] = name->addresses[i];
    return n;
}

static int keep(struct name *name, const struct address *addresses, size_t n)
{
    struct address *copy = calloc(n, sizeof *copy);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, addresses, n * sizeof *copy);
    free(name->addresses);
    name->addresses = copy;
    name->n = n;
    tell_change(name);
    return 0;
}

/* An upstream that is gone has no need for addresses: this is the child of an older generation. */
static int publish_one(const struct name *name, const struct target *target)
{
    struct address addresses[RESOLVER_ADDRESSES];
    struct balancer *balancer = name->names->settings.balancer;
    struct balancer_upstream *upstream = balancer_find(balancer, target->upstream);
    if (upstream == NULL)
        return 0;
    memcpy(addresses, name->addresses, name->n * sizeof *addresses);
    for (size_t i = 0; i < name->n; i++)
        address_set_port(&addresses[i], target->port);
    return balancer_resolve(upstream, target->server, addresses, name->n, clock_now_ms());
}

/* Returns NULL, or why it could not be told to all of them. */
static const char *publish(const struct name *name)
{
    int err = 0;
    for (size_t i = 0; i < name->n_targets; i++) {
        int rc = publish_one(name, &name->targets[i]);
        if (rc != 0 && rc != -ENOENT)
            err = rc;
    }
    return err != 0 ? strerror(-err) : NULL;
}

static void succeed(struct name *name, const struct resolver_answer *answer)
{
    struct address addresses[RESOLVER_ADDRESSES];
    int64_t now_ms = clock_now_ms();
    size_t n = join(name, answer, addresses);
    if (!is_same(name, addresses, n) && keep(name, addresses, n) != 0) {
        fail(name, "out of memory");
        return;
    }
    const char *error = publish(name);
    if (error != NULL) {
        fail(name, error);
        return;
    }
    if (name->error != NULL)
        log_info("the name %s can be looked up again", name->host);
    name->error = NULL;
    renewal_succeed(&name->renewal, answer->ttl_s, now_ms);
    wait_for_turn(name, now_ms);
}

static void on_answer(const struct resolver_answer *answer, void *arg)
{
    struct name *name = arg;
    const struct names_settings *settings = &name->names->settings;
    name->lookup = NULL;
    if (answer->error != NULL)
        fail(name, answer->error);
    else
        succeed(name, answer);
    name->asked = true;
    settings->changed(settings->arg);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct name *name = arg;
    (void)fd;
    (void)what;
    int err = resolver_look_up(name->names->resolver, name->host, on_answer, name, &name->lookup);
    if (err == 0)
        return;
    name->asked = true;
    fail(name, strerror(-err));
}

void names_begin(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        on_due(-1, 0, names->items[i]);
}

/* --- Servers that come and go ---------------------------------------------------------- */

/* So there are never more than the servers have, however fast they change. */
static void drop_unused(struct names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->n; i++) {
        struct name *name = names->items[i];
        if (name->n_targets > 0) {
            names->items[kept++] = name;
            continue;
        }
        resolver_cancel(name->lookup);
        name_free(name);
    }
    names->n = kept;
}

static void remove_found(struct name *name, const char *upstream)
{
    size_t kept = 0;
    for (size_t i = 0; i < name->n_targets; i++) {
        struct target *target = &name->targets[i];
        if (!target->is_found || strcmp(target->upstream, upstream) != 0) {
            name->targets[kept++] = *target;
            continue;
        }
        free(target->upstream);
        free(target->server);
    }
    name->n_targets = kept;
}

void names_set_found(struct names *names, const char *upstream, const struct conf_server *servers,
                     size_t n)
{
    for (size_t i = 0; i < names->n; i++)
        remove_found(names->items[i], upstream);
    if (add_servers(names, upstream, servers, n, true) != 0)
        log_warning("upstream \"%s\": no memory for all names of its servers", upstream);
    drop_unused(names);
    for (size_t i = 0; i < names->n; i++) {
        struct name *name = names->items[i];
        if (name->lookup == NULL && !name->asked)
            on_due(-1, 0, name);
        else if (name->n > 0)
            (void)publish(name);
    }
}

bool names_are_settled(const struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (!names->items[i]->asked)
            return false;
    return true;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    resolver_free(names->resolver);
    for (size_t i = 0; i < names->n; i++)
        name_free(names->items[i]);
    free(names->items);
    free(names);
}
