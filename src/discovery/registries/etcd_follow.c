#include "config.h"

#include "discovery/registries/etcd_follow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/dice.h"
#include "base/log.h"
#include "discovery/registries/etcd_members.h"

/* So long, up to twice, it is left alone when a watch has ended: many may have lost theirs. */
#define PAUSE_MS 1000

struct etcd_follow {
    const struct driver_settings *settings;
    struct etcd_link *link;
    char *service;
    char *prefix;        /* of its keys */
    struct event *timer; /* until the next range */
    struct etcd_call *range;
    struct etcd_call *watch;
    struct etcd_members members;
    bool is_on;
    bool is_hurried; /* the next range is due before refresh_ms */
};

static void ask(struct etcd_follow *follow);

/* --- When ------------------------------------------------------------------------------------ */

static void arm(struct etcd_follow *follow, long ms)
{
    struct timeval time = {ms / 1000, ms % 1000 * 1000};
    if (event_add(follow->timer, &time) < 0)
        log_debug("etcd: out of memory, %s is not asked for again", follow->service);
}

static void hurry(struct etcd_follow *follow)
{
    if (follow->is_hurried)
        return;
    follow->is_hurried = true;
    arm(follow, PAUSE_MS + (long)(dice_throw() * PAUSE_MS));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct etcd_follow *follow = arg;
    (void)fd;
    (void)what;
    follow->is_hurried = false;
    if (follow->range == NULL)
        ask(follow);
}

/* --- The end ------------------------------------------------------------------------------- */

static void stop_watch(struct etcd_follow *follow)
{
    etcd_link_cancel(follow->watch);
    follow->watch = NULL;
}

static void lose(struct etcd_follow *follow, enum driver_outcome outcome, const char *why)
{
    follow->is_on = false;
    follow->is_hurried = false;
    event_del(follow->timer);
    etcd_link_cancel(follow->range);
    follow->range = NULL;
    stop_watch(follow);
    follow->settings->lost(follow->service, outcome, why, follow->settings->arg);
}

/* --- The watch ------------------------------------------------------------------------------- */

static void tell(struct etcd_follow *follow)
{
    follow->settings->found(follow->service, follow->members.at, follow->members.n,
                            follow->settings->arg);
}

/* What is no fault of ours passes: the next range shows whether the server is well. */
static void end_watch(struct etcd_follow *follow, const struct etcd_refusal *refusal)
{
    log_debug("etcd: the watch of %s has ended: %s", follow->service, refusal->why);
    stop_watch(follow);
    if (refusal->reason == ETCD_NO_TOKEN)
        etcd_link_forget_token(follow->link);
    else if (refusal->outcome == DRIVER_DENIED || refusal->outcome == DRIVER_REJECTED) {
        lose(follow, refusal->outcome, refusal->why);
        return;
    }
    hurry(follow);
}

static void on_line(const char *line, size_t len, void *arg)
{
    struct etcd_follow *follow = arg;
    struct etcd_refusal refusal = {.outcome = DRIVER_UNREACHABLE, .why = "a line makes no sense"};
    enum etcd_event event = ETCD_ENDED;
    int r = etcd_members_apply(&follow->members, line, len, follow->prefix, &event, &refusal);
    if (r < 0 || event == ETCD_ENDED) {
        etcd_link_hide(follow->link, &refusal);
        end_watch(follow, &refusal);
        return;
    }
    if (event != ETCD_CHANGED)
        return;
    tell(follow);
    /* Nobody left? Asked once more before somebody believes it. */
    if (follow->members.n == 0)
        hurry(follow);
}

static void on_watch_done(const struct etcd_refusal *refusal, const char *body, size_t len,
                          void *arg)
{
    static const struct etcd_refusal ended = {DRIVER_UNREACHABLE, ETCD_PLAIN, "it was closed"};
    struct etcd_follow *follow = arg;
    (void)body;
    (void)len;
    follow->watch = NULL;
    end_watch(follow, refusal == NULL ? &ended : refusal);
}

static void begin_watch(struct etcd_follow *follow)
{
    const struct etcd_request request = {
        .target = ETCD_WATCH,
        .body = etcd_wire_watch(follow->prefix, follow->members.revision + 1),
        .line = on_line,
        .done = on_watch_done,
        .arg = follow,
    };
    follow->watch = etcd_link_send(follow->link, &request);
    if (follow->watch == NULL)
        hurry(follow);
}

/* --- All members ------------------------------------------------------------------------------ */

/* Put a list in place, unless the watch has told more since. */
static void take(struct etcd_follow *follow, struct etcd_members *members)
{
    if (members->n_skipped > 0)
        log_debug("etcd: %u keys of %s are left out", members->n_skipped, follow->service);
    if (follow->watch != NULL && members->revision < follow->members.revision) {
        etcd_members_free(members);
        return;
    }
    if (follow->watch != NULL && !etcd_members_equal(members, &follow->members))
        stop_watch(follow);
    etcd_members_free(&follow->members);
    follow->members = *members;
}

static void on_range_done(const struct etcd_refusal *refusal, const char *body, size_t len,
                          void *arg)
{
    struct etcd_follow *follow = arg;
    struct etcd_members members;
    follow->range = NULL;
    if (refusal != NULL) {
        lose(follow, refusal->outcome, refusal->why);
        return;
    }
    int r = etcd_members_read(body, len, follow->prefix, &members);
    if (r < 0) {
        lose(follow, DRIVER_UNREACHABLE,
             r == -ENOMEM ? "out of memory" : "its answer makes no sense");
        return;
    }
    take(follow, &members);
    follow->is_hurried = false;
    arm(follow, follow->settings->conf->refresh_ms);
    if (follow->watch == NULL)
        begin_watch(follow);
    tell(follow);
}

static void ask(struct etcd_follow *follow)
{
    const struct etcd_request request = {
        .target = ETCD_RANGE,
        .body = etcd_wire_range(follow->prefix),
        .done = on_range_done,
        .arg = follow,
    };
    follow->range = etcd_link_send(follow->link, &request);
    if (follow->range == NULL)
        hurry(follow);
}

/* --- Life ---------------------------------------------------------------------------------- */

int etcd_follow_new(const struct driver_settings *settings, struct etcd_link *link,
                    const char *service, struct etcd_follow **ret_follow)
{
    struct etcd_follow *follow = calloc(1, sizeof(*follow));
    if (follow == NULL)
        return -ENOMEM;
    follow->settings = settings;
    follow->link = link;
    follow->service = strdup(service);
    follow->timer = evtimer_new(settings->base, on_timer, follow);
    if (follow->service == NULL || follow->timer == NULL ||
        asprintf(&follow->prefix, "%s/%s/", settings->conf->prefix, service) < 0) {
        follow->prefix = NULL;
        etcd_follow_free(follow);
        return -ENOMEM;
    }
    *ret_follow = follow;
    return 0;
}

const char *etcd_follow_name(const struct etcd_follow *follow)
{
    return follow->service;
}

void etcd_follow_begin(struct etcd_follow *follow)
{
    if (follow->is_on)
        return;
    follow->is_on = true;
    ask(follow);
}

void etcd_follow_free(struct etcd_follow *follow)
{
    if (follow == NULL)
        return;
    etcd_link_cancel(follow->range);
    stop_watch(follow);
    if (follow->timer != NULL)
        event_free(follow->timer);
    etcd_members_free(&follow->members);
    free(follow->prefix);
    free(follow->service);
    free(follow);
}
