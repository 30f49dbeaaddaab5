#include "config.h"

#include "discovery/driver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "discovery/registries/etcd_follow.h"
#include "discovery/registries/etcd_link.h"
#include "discovery/registries/etcd_wire.h"
#include "discovery/registries/payload.h"

/*
 * A registration is a key that hangs on a lease: it is gone when the lease is not kept alive.
 *
 *   REGISTER    grant a lease, put the key
 *   HEARTBEAT   keep the lease alive, see that the key is there
 *   REPORT      put the key, if it hangs on the lease still: who has taken it over keeps it
 *   DEREGISTER  revoke the lease
 */
struct session {
    struct driver_settings settings;
    struct etcd_link *link;
    struct etcd_follow *follows[SERVICES_MAX];
    size_t n_follows;

    int64_t lease; /* 0: none */
    enum driver_task task;
    const struct driver_record *record;
    char *key;       /* of the instance */
    bool is_granted; /* the lease is of this task */

    struct event *end; /* of a task for which there is nothing to ask */
    enum driver_outcome outcome;
    const char *why;
};

static void close_session(void *arg)
{
    struct session *session = arg;
    for (size_t i = 0; i < session->n_follows; i++)
        etcd_follow_free(session->follows[i]);
    etcd_link_free(session->link);
    if (session->end != NULL)
        event_free(session->end);
    free(session->key);
    free(session);
}

/* --- A task's end -------------------------------------------------------------------------- */

static void finish(struct session *session, enum driver_outcome outcome, const char *why)
{
    session->settings.done(outcome, why, session->settings.arg);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;
    (void)fd;
    (void)what;
    finish(session, session->outcome, session->why);
}

/* As finish(), but from the loop. */
static void finish_later(struct session *session, enum driver_outcome outcome, const char *why)
{
    session->outcome = outcome;
    session->why = why;
    event_active(session->end, EV_TIMEOUT, 1);
}

static void finish_refused(struct session *session, const struct etcd_refusal *refusal)
{
    const struct driver_settings *settings = &session->settings;
    bool has_user = conf_registry_user(settings->conf, settings->url) != NULL;
    enum driver_outcome outcome = refusal->outcome;
    if (outcome == DRIVER_FORGOTTEN)
        session->lease = 0;
    /* Its login was let in just now: authentication is being switched, or a server lags behind. */
    if (refusal->reason == ETCD_NO_TOKEN && has_user)
        outcome = DRIVER_UNREACHABLE;
    finish(session, outcome, refusal->why);
}

static void finish_answered(struct session *session, int r)
{
    if (r == 0)
        finish(session, DRIVER_DONE, "");
    else
        finish(session, DRIVER_UNREACHABLE,
               r == -ENOMEM ? "out of memory" : "its answer makes no sense");
}

/* --- Its steps ----------------------------------------------------------------------------- */

typedef void on_answer(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg);

/* Send a request of the task; the body is the link's. */
static void step(struct session *session, const char *target, char *body, on_answer *done)
{
    const struct etcd_request request = {
        .target = target, .body = body, .done = done, .arg = session};
    if (etcd_link_send(session->link, &request) == NULL)
        finish_later(session, DRIVER_UNREACHABLE, "out of memory");
}

static void grant(struct session *session);

static void on_put(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg)
{
    struct session *session = arg;
    (void)body;
    (void)len;
    bool is_lost = refusal != NULL && refusal->outcome == DRIVER_FORGOTTEN;
    if (is_lost && session->task == DRIVER_REGISTER && !session->is_granted)
        grant(session);
    else if (refusal != NULL)
        finish_refused(session, refusal);
    else
        finish(session, DRIVER_DONE, "");
}

static void put(struct session *session)
{
    char *value = payload_write(session->settings.conf, session->record);
    char *body = value == NULL ? NULL : etcd_wire_put(session->key, value, session->lease);
    free(value);
    step(session, ETCD_PUT, body, on_put);
}

static void on_grant(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg)
{
    struct session *session = arg;
    if (refusal != NULL) {
        finish_refused(session, refusal);
        return;
    }
    int r = etcd_wire_read_grant(body, len, &session->lease);
    if (r < 0) {
        finish_answered(session, r);
        return;
    }
    session->is_granted = true;
    put(session);
}

static void grant(struct session *session)
{
    long ttl_s = (session->settings.conf->ttl_ms + 999) / 1000;
    session->lease = 0;
    step(session, ETCD_GRANT, etcd_wire_grant(ttl_s), on_grant);
}

static void on_update(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg)
{
    struct session *session = arg;
    if (refusal != NULL) {
        finish_refused(session, refusal);
        return;
    }
    int r = etcd_wire_read_update(body, len);
    if (r == -ENOENT)
        finish(session, DRIVER_FORGOTTEN, "its key is gone");
    else
        finish_answered(session, r);
}

static void update(struct session *session)
{
    char *value = payload_write(session->settings.conf, session->record);
    char *body = value == NULL ? NULL : etcd_wire_update(session->key, value, session->lease);
    free(value);
    step(session, ETCD_TXN, body, on_update);
}

static void on_count(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg)
{
    struct session *session = arg;
    int64_t count = 0;
    if (refusal != NULL) {
        finish_refused(session, refusal);
        return;
    }
    int r = etcd_wire_read_count(body, len, &count);
    if (r == 0 && count == 0)
        finish(session, DRIVER_FORGOTTEN, "its key is gone");
    else
        finish_answered(session, r);
}

static void on_keepalive(const struct etcd_refusal *refusal, const char *body, size_t len,
                         void *arg)
{
    struct session *session = arg;
    if (refusal != NULL) {
        finish_refused(session, refusal);
        return;
    }
    int r = etcd_wire_read_keepalive(body, len);
    if (r == -ENOENT) {
        session->lease = 0;
        finish(session, DRIVER_FORGOTTEN, "its lease is gone");
    } else if (r < 0) {
        finish_answered(session, r);
    } else {
        step(session, ETCD_RANGE, etcd_wire_count(session->key), on_count);
    }
}

/* What is gone already is as it should be. */
static void on_gone(const struct etcd_refusal *refusal, const char *body, size_t len, void *arg)
{
    struct session *session = arg;
    (void)body;
    (void)len;
    if (refusal != NULL && refusal->outcome != DRIVER_FORGOTTEN) {
        finish_refused(session, refusal);
        return;
    }
    session->lease = 0;
    finish(session, DRIVER_DONE, "");
}

/* --- Tasks --------------------------------------------------------------------------------- */

static void do_register(struct session *session)
{
    if (session->lease == 0)
        grant(session);
    else
        put(session);
}

static void do_heartbeat(struct session *session)
{
    if (session->lease == 0)
        finish_later(session, DRIVER_FORGOTTEN, "it has no lease");
    else
        step(session, ETCD_KEEPALIVE, etcd_wire_lease(session->lease), on_keepalive);
}

static void do_report(struct session *session)
{
    if (session->lease == 0)
        finish_later(session, DRIVER_FORGOTTEN, "it has no lease");
    else
        update(session);
}

/* Without a lease the key may still be there: of another session, with another server. */
static void do_deregister(struct session *session)
{
    if (session->lease == 0)
        step(session, ETCD_DELETE, etcd_wire_delete(session->key), on_gone);
    else
        step(session, ETCD_REVOKE, etcd_wire_lease(session->lease), on_gone);
}

static void (*const tasks[DRIVER_TASKS])(struct session *session) = {
    [DRIVER_REGISTER] = do_register,
    [DRIVER_HEARTBEAT] = do_heartbeat,
    [DRIVER_REPORT] = do_report,
    [DRIVER_DEREGISTER] = do_deregister,
};

/* PREFIX/APP/HOST:PORT, allocated; NULL: out of memory. */
static char *key_of(const struct conf_registry *conf, const struct driver_record *record)
{
    char name[PAYLOAD_NAME_SIZE];
    char *key;
    payload_name(record, name);
    return asprintf(&key, "%s/%s/%s", conf->prefix, record->app, name) < 0 ? NULL : key;
}

static void begin(void *arg, enum driver_task task, const struct driver_record *record)
{
    struct session *session = arg;
    session->task = task;
    session->record = record;
    session->is_granted = false;
    free(session->key);
    session->key = key_of(session->settings.conf, record);
    if (session->key == NULL)
        finish_later(session, DRIVER_UNREACHABLE, "out of memory");
    else
        tasks[task](session);
}

/* --- Look-ups ------------------------------------------------------------------------------ */

static void follow(void *arg, const char *service)
{
    struct session *session = arg;
    size_t i = 0;
    while (i < session->n_follows && strcmp(etcd_follow_name(session->follows[i]), service) != 0)
        i++;
    if (i == SERVICES_MAX)
        return;
    if (i == session->n_follows) {
        if (etcd_follow_new(&session->settings, session->link, service, &session->follows[i]) < 0)
            return;
        session->n_follows++;
    }
    etcd_follow_begin(session->follows[i]);
}

static int open_session(const struct driver_settings *settings, void **ret_session)
{
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return -ENOMEM;
    session->settings = *settings;
    session->end = evtimer_new(settings->base, on_end, session);
    if (session->end == NULL || etcd_link_new(&session->settings, &session->link) < 0) {
        close_session(session);
        return -ENOMEM;
    }
    *ret_session = session;
    return 0;
}

const struct driver driver_etcd = {
    .name = "etcd",
    .backoff = {.first_ms = 1000, .max_ms = 30000},
    .open = open_session,
    .begin = begin,
    .follow = follow,
    .close = close_session,
};
