#include "config.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "base/log.h"
#include "discovery/member.h"
#include "discovery/registries/payload.h"
#include "discovery/registries/zookeeper_state.h"

/* Changes that come together are seen together. */
#define SETTLE_MS 50

/* One child: a member, when its value is there. */
struct child {
    struct zookeeper_look *look;
    char *name;
};

struct zookeeper_look {
    LIST_ENTRY(zookeeper_look) entry;
    struct zookeeper_session *session;
    char *service;
    char path[ZOOKEEPER_PATH_SIZE];
    struct event *timer;
    bool is_wanted;  /* to be looked up, now or after the look that runs */
    bool is_running; /* from the first request to the last answer */
    bool is_lost;    /* the connection went away meanwhile */
    struct child *children;
    size_t n_children, n_asked, n_answered;
    struct member *members;
    size_t n_members;
};

static void ask_for_children(struct zookeeper_look *look);

/* --- The end of a look --------------------------------------------------------------------- */

static void forget(struct zookeeper_look *look)
{
    for (size_t i = 0; i < look->n_children; i++)
        free(look->children[i].name);
    free(look->children);
    free(look->members);
    look->children = NULL;
    look->members = NULL;
    look->n_children = look->n_asked = look->n_answered = look->n_members = 0;
    look->is_running = look->is_lost = false;
}

static void look_again_in(struct zookeeper_look *look, long ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(look->timer, &tv);
}

/* It is not followed any more. */
static void lose(struct zookeeper_look *look, int rc)
{
    const struct driver_settings *settings = &look->session->settings;

    forget(look);
    evtimer_del(look->timer);
    look->is_wanted = false;
    settings->lost(look->service, zookeeper_outcome(rc), zerror(rc), settings->arg);
}

static void fail(struct zookeeper_look *look, int rc)
{
    if (!zookeeper_is_lost(rc)) {
        lose(look, rc);
        return;
    }
    forget(look);
    look->is_wanted = true;
}

static void finish(struct zookeeper_look *look)
{
    const struct driver_settings *settings = &look->session->settings;

    if (look->is_lost) {
        fail(look, ZCONNECTIONLOSS);
        return;
    }
    look_again_in(look, look->is_wanted ? SETTLE_MS : settings->conf->refresh_ms);
    look->is_wanted = false;
    look->session->n_losses = 0;
    settings->found(look->service, look->members, look->n_members, settings->arg);
    forget(look);
}

/* --- Values -------------------------------------------------------------------------------- */

/* A watch comes once; it is set again by the look that it leads to. */
static void on_change(zhandle_t *handle, int type, int state, const char *path, void *arg)
{
    struct zookeeper_look *look = arg;

    (void)handle, (void)state, (void)path;
    if (type == ZOO_SESSION_EVENT || look->session->is_closing || look->session->is_over)
        return;
    if (look->is_running)
        look->is_wanted = true;
    else if (!look->is_wanted)
        look_again_in(look, SETTLE_MS);
}

static void take(struct zookeeper_look *look, const char *name, const char *value, int len)
{
    struct member *member = &look->members[look->n_members];

    if (payload_read(name, strlen(name), value, len > 0 ? (size_t)len : 0, member) == 0)
        look->n_members++;
    else
        log_debug("%s: what ZooKeeper has of \"%s\" makes no sense", look->service, name);
}

static void go_on(struct zookeeper_look *look);

/* A child that is gone meanwhile, or that only others may read, is left out. */
static void on_value(int rc, const char *value, int len, const struct Stat *stat, const void *arg)
{
    const struct child *child = arg;
    struct zookeeper_look *look = child->look;
    struct zookeeper_session *session = look->session;
    bool matters = zookeeper_answered(session);
    struct zookeeper_look *at;

    (void)stat;
    if (session->is_closing)
        return;
    session->n_reads--;
    look->n_answered++;
    if (!matters)
        return;
    if (rc == ZOK)
        take(look, child->name, value, len);
    else if (zookeeper_is_lost(rc))
        look->is_lost = true;
    else if (rc != ZNONODE)
        log_debug("%s: ZooKeeper does not tell of \"%s\": %s", look->service, child->name,
                  zerror(rc));
    for (at = LIST_FIRST(&session->looks); at != NULL; at = LIST_NEXT(at, entry))
        go_on(at);
}

static void ask_for_values(struct zookeeper_look *look)
{
    struct zookeeper_session *session = look->session;
    char path[ZOOKEEPER_PATH_SIZE];

    while (look->n_asked < look->n_children && session->n_reads < ZOOKEEPER_READS &&
           zookeeper_is_connected(session) && !session->is_over) {
        struct child *child = &look->children[look->n_asked++];
        const struct driver_settings *settings = &session->settings;
        int rc = zookeeper_path(settings->url->path, settings->conf->prefix, look->service,
                                child->name, path) < 0
                     ? ZBADARGUMENTS
                     : zoo_awget(session->handle, path, on_change, look, on_value, child);

        if (rc == ZBADARGUMENTS) /* no path, or too long a one */
            look->n_answered++;
        else if (zookeeper_sent(session, rc, ZOOKEEPER_DATA))
            session->n_reads++;
    }
}

static void go_on(struct zookeeper_look *look)
{
    if (look->children == NULL)
        return;
    ask_for_values(look);
    if (look->n_answered == look->n_asked && (look->is_lost || look->n_asked == look->n_children))
        finish(look);
}

/* --- The list ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct child *)a)->name, ((const struct child *)b)->name);
}

/* Returns whether there was memory for them. More than MEMBERS_MAX: always the same ones. */
static bool keep_children(struct zookeeper_look *look, const struct String_vector *names)
{
    size_t n = names->count > 0 ? (size_t)names->count : 0, kept = 0;

    look->children = calloc(n + 1, sizeof *look->children);
    look->members = calloc(MEMBERS_MAX, sizeof *look->members);
    if (look->children == NULL || look->members == NULL)
        return false;
    for (size_t i = 0; i < n && names->data != NULL; i++) {
        if (names->data[i] == NULL)
            continue;
        look->children[kept].look = look;
        look->children[kept].name = strdup(names->data[i]);
        if (look->children[kept].name == NULL)
            return false;
        look->n_children = ++kept;
    }
    qsort(look->children, kept, sizeof *look->children, by_name);
    for (; look->n_children > MEMBERS_MAX; look->n_children--)
        free(look->children[look->n_children - 1].name);
    if (kept > MEMBERS_MAX)
        log_debug("%s: %zu members, of which %d are taken", look->service, kept, MEMBERS_MAX);
    return true;
}

/* Whether the service's node is there now, after all; if not, its coming will be told. */
static void on_looked(int rc, const struct Stat *stat, const void *arg)
{
    struct zookeeper_look *look = (struct zookeeper_look *)arg;

    (void)stat;
    if (!zookeeper_answered(look->session))
        return;
    if (rc == ZOK)
        ask_for_children(look);
    else if (rc == ZNONODE)
        finish(look);
    else
        fail(look, rc);
}

static void on_children(int rc, const struct String_vector *names, const void *arg)
{
    struct zookeeper_look *look = (struct zookeeper_look *)arg;
    struct zookeeper_session *session = look->session;

    if (!zookeeper_answered(session))
        return;
    if (rc == ZNONODE) {
        (void)zookeeper_sent(
            session, zoo_awexists(session->handle, look->path, on_change, look, on_looked, look),
            ZOOKEEPER_STAT);
    } else if (rc != ZOK) {
        fail(look, rc);
    } else if (!keep_children(look, names)) {
        lose(look, ZSYSTEMERROR);
    } else {
        go_on(look);
    }
}

static void ask_for_children(struct zookeeper_look *look)
{
    struct zookeeper_session *session = look->session;

    (void)zookeeper_sent(
        session,
        zoo_awget_children(session->handle, look->path, on_change, look, on_children, look),
        ZOOKEEPER_STRINGS);
}

/* --- For the driver ------------------------------------------------------------------------ */

void zookeeper_look_begin(struct zookeeper_session *session)
{
    const struct driver_settings *settings = &session->settings;
    struct zookeeper_look *look;

    for (look = LIST_FIRST(&session->looks); look != NULL; look = LIST_NEXT(look, entry)) {
        if (!look->is_wanted || look->is_running || session->is_over)
            continue;
        look->is_wanted = false;
        if (zookeeper_path(settings->url->path, settings->conf->prefix, look->service, NULL,
                           look->path) < 0) {
            lose(look, ZBADARGUMENTS);
        } else {
            look->is_running = true;
            ask_for_children(look);
        }
    }
}

static void on_time(evutil_socket_t fd, short events, void *arg)
{
    struct zookeeper_look *look = arg;

    (void)fd, (void)events;
    look->is_wanted = true;
    zookeeper_kick(look->session);
}

static struct zookeeper_look *look_new(struct zookeeper_session *session, const char *service)
{
    struct zookeeper_look *look = calloc(1, sizeof *look);

    if (look == NULL)
        return NULL;
    look->session = session;
    look->service = strdup(service);
    look->timer = evtimer_new(session->settings.base, on_time, look);
    LIST_INSERT_HEAD(&session->looks, look, entry);
    return look;
}

void zookeeper_look_follow(void *arg, const char *service)
{
    struct zookeeper_session *session = arg;
    struct zookeeper_look *look;

    for (look = LIST_FIRST(&session->looks); look != NULL; look = LIST_NEXT(look, entry))
        if (look->service != NULL && strcmp(look->service, service) == 0)
            break;
    if (look == NULL)
        look = look_new(session, service);
    if (look == NULL || look->service == NULL || look->timer == NULL)
        zookeeper_break(session, DRIVER_UNREACHABLE, "out of memory");
    else
        look->is_wanted = true;
    zookeeper_kick(session);
}

void zookeeper_look_free(struct zookeeper_session *session)
{
    struct zookeeper_look *look;

    while ((look = LIST_FIRST(&session->looks)) != NULL) {
        LIST_REMOVE(look, entry);
        forget(look);
        if (look->timer != NULL)
            event_free(look->timer);
        free(look->service);
        free(look);
    }
}
