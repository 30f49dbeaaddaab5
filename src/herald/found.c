#include "config.h"

#include "herald/found.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/endpoint.h"
#include "herald/names.h"
#include "proxy/balancer.h"

/* A lock is held for microseconds, unless somebody has stopped the process that has it. */
#define RETRY_MS 10

/* An upstream with from_registry, and what it has got. */
struct place {
    const char *upstream;
    struct conf_server servers[MEMBERS_MAX];
    char titles[MEMBERS_MAX][MEMBER_PLACE_SIZE];
    size_t n;
    bool waits; /* the balancer is still to be told */
};

struct found {
    struct found_settings settings;
    struct event *retry;
    size_t n;
    struct place *places;
};

static struct place *find(struct found *found, const char *service)
{
    for (size_t i = 0; i < found->n; i++)
        if (strcmp(found->places[i].upstream, service) == 0)
            return &found->places[i];
    return NULL;
}

/* Returns whether it is a place that requests can be sent to. */
static bool make_server(const struct member *member, char title[MEMBER_PLACE_SIZE],
                        struct conf_server *ret_server)
{
    const char *why;
    (void)address_join(member->host, member->port, title, MEMBER_PLACE_SIZE);
    *ret_server = (struct conf_server){.title = title,
                                       .weight = member->weight,
                                       .max_fails = member->max_fails,
                                       .fail_timeout_ms = member->fail_timeout_ms,
                                       .down = member->is_down != 0};
    if (endpoint_parse(title, &ret_server->is_name, &ret_server->address, &why) == 0)
        return true;
    log_warning("%s of the registry is left out: %s", title, why);
    return false;
}

static void tell(struct found *found, struct place *place)
{
    const struct found_settings *settings = &found->settings;
    const struct timeval retry = {0, RETRY_MS * 1000};
    struct balancer_upstream *upstream = balancer_find(settings->balancer, place->upstream);
    int err = upstream != NULL
                  ? balancer_set_found(upstream, place->servers, place->n, clock_now_ms())
                  : 0;
    place->waits = err == -EAGAIN;
    if (place->waits) {
        event_add(found->retry, &retry);
        return;
    }
    if (err == -ENOSPC)
        log_warning("upstream \"%s\": not all %zu servers that the registry names fit",
                    place->upstream, place->n);
    names_set_found(settings->names, place->upstream, place->servers, place->n);
    settings->changed(settings->arg);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct found *found = arg;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < found->n; i++)
        if (found->places[i].waits)
            tell(found, &found->places[i]);
}

void found_take(struct found *found, const char *service, const struct member *members, size_t n)
{
    struct place *place = find(found, service);
    if (place == NULL)
        return;
    place->n = 0;
    for (size_t i = 0; i < n && i < MEMBERS_MAX; i++)
        place->n += make_server(&members[i], place->titles[place->n], &place->servers[place->n]);
    tell(found, place);
}

static int make_places(struct found *found, const struct conf *conf)
{
    found->places = calloc(conf->n_upstreams + 1, sizeof *found->places);
    if (found->places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (conf->upstreams[i].from_registry)
            found->places[found->n++].upstream = conf->upstreams[i].title;
    return 0;
}

int found_new(const struct found_settings *settings, struct found **ret_found)
{
    struct found *found = calloc(1, sizeof *found);
    if (found == NULL)
        return -ENOMEM;
    found->settings = *settings;
    found->retry = event_new(settings->base, -1, 0, on_retry, found);
    if (found->retry == NULL || make_places(found, settings->conf) != 0) {
        found_free(found);
        return -ENOMEM;
    }
    *ret_found = found;
    return 0;
}

void found_free(struct found *found)
{
    if (found == NULL)
        return;
    if (found->retry != NULL)
        event_free(found->retry);
    free(found->places);
    free(found);
}
