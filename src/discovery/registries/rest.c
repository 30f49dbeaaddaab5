#include "config.h"

#include "discovery/registries/rest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"
#include "discovery/http_client.h"
#include "discovery/registries/rest_wire.h"

/* Name and value of Accept, and of a token, and the end. */
#define FIELDS_MAX 5

static const char no_memory[] = "there is no memory for the request";

struct session;

/* A service that is looked up. */
struct lookup {
    struct session *session;
    char service[SERVICE_NAME_SIZE]; /* "": the place is free */
    struct http_client_call *call;   /* NULL: the timer runs, or it has ended */
    struct event timer;
    uint64_t index; /* of the wire */
    int64_t begun_ms;
};

struct session {
    const struct rest_wire *wire;
    struct driver_settings settings;
    struct http_client *client;
    const char *fields[FIELDS_MAX];

    enum driver_task task;
    unsigned step;
    const struct driver_record *record;
    struct event failed; /* the task could not be sent */

    struct lookup lookups[SERVICES_MAX];
    struct rest_lookup found; /* room for an answer */
};

/* NULL: no memory. */
static struct http_client_call *
send_request(struct session *session, struct rest_request *request,
             void (*done)(const struct http_client_answer *answer, void *arg), void *arg)
{
    struct http_client_request sent = {
        .method = request->method,
        .target = request->target.at,
        .content_type = request->body.len > 0 ? "application/json" : NULL,
        .body = request->body.at,
        .body_len = request->body.len,
        .fields = session->fields,
        .timeout_ms = request->timeout_ms,
        .done = done,
        .arg = arg,
    };
    bool failed = request->target.failed || request->body.failed;
    struct http_client_call *call = failed ? NULL : http_client_send(session->client, &sent);
    rest_request_clear(request);
    return call;
}

/* --- Tasks ---------------------------------------------------------------------------- */

static void task_answered(const struct http_client_answer *answer, void *arg);

static void send_step(struct session *session)
{
    struct rest_request request = {0};
    session->wire->ask(&session->settings, session->task, session->step, session->record, &request);
    if (send_request(session, &request, task_answered, session) == NULL)
        event_active(&session->failed, EV_TIMEOUT, 0);
}

static void task_answered(const struct http_client_answer *answer, void *arg)
{
    struct session *session = arg;
    char why[REST_WHY_SIZE] = "";
    enum driver_outcome outcome = session->wire->judge(session->task, session->step, answer, why);
    if (outcome == DRIVER_DONE && ++session->step < session->wire->steps[session->task])
        send_step(session);
    else
        session->settings.done(outcome, outcome == DRIVER_DONE ? "" : why, session->settings.arg);
}

static void task_failed(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;
    (void)fd;
    (void)what;
    session->settings.done(DRIVER_UNREACHABLE, no_memory, session->settings.arg);
}

void rest_begin(void *arg, enum driver_task task, const struct driver_record *record)
{
    struct session *session = arg;
    session->task = task;
    session->step = 0;
    session->record = record;
    send_step(session);
}

/* --- Look-ups --------------------------------------------------------------------------- */

/* Due at begun_ms + pause_ms, or at once. */
static void schedule(struct lookup *lookup, int64_t pause_ms)
{
    int64_t ms = lookup->begun_ms + pause_ms - clock_now_ms();
    ms = ms > 0 ? ms : 0;
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)event_add(&lookup->timer, &wait);
}

static void lose(struct lookup *lookup, enum driver_outcome outcome, const char *why)
{
    const struct driver_settings *settings = &lookup->session->settings;
    settings->lost(lookup->service, outcome, why, settings->arg);
}

static void lookup_answered(const struct http_client_answer *answer, void *arg)
{
    struct lookup *lookup = arg;
    struct session *session = lookup->session;
    const struct driver_settings *settings = &session->settings;
    struct rest_lookup *found = &session->found;
    char why[REST_WHY_SIZE] = "";
    lookup->call = NULL;
    found->index = lookup->index;
    enum driver_outcome outcome = session->wire->read_members(settings->conf, answer, found, why);
    if (outcome != DRIVER_DONE) {
        lose(lookup, outcome, why);
        return;
    }
    if (found->n_bad > 0)
        log_debug("a registry has %zu instances of %s that make no sense: left out", found->n_bad,
                  lookup->service);
    lookup->index = found->index;
    schedule(lookup, found->pause_ms);
    settings->found(lookup->service, found->members, found->n, settings->arg);
}

static void look_up(evutil_socket_t fd, short what, void *arg)
{
    struct lookup *lookup = arg;
    struct session *session = lookup->session;
    struct rest_request request = {0};
    (void)fd;
    (void)what;
    lookup->begun_ms = clock_now_ms();
    session->wire->ask_members(&session->settings, lookup->service, lookup->index, &request);
    lookup->call = send_request(session, &request, lookup_answered, lookup);
    if (lookup->call == NULL)
        lose(lookup, DRIVER_UNREACHABLE, no_memory);
}

/* The place of the service, or a free one; NULL: there is none. */
static struct lookup *find_lookup(struct session *session, const char *service)
{
    struct lookup *place = NULL;
    for (size_t i = SERVICES_MAX; i-- > 0;) {
        struct lookup *lookup = &session->lookups[i];
        if (strcmp(lookup->service, service) == 0)
            return lookup;
        if (lookup->service[0] == '\0')
            place = lookup;
    }
    return place;
}

void rest_follow(void *arg, const char *service)
{
    struct lookup *lookup = find_lookup(arg, service);
    if (lookup == NULL || lookup->call != NULL)
        return;
    (void)snprintf(lookup->service, sizeof lookup->service, "%s", service);
    lookup->index = 0;
    event_active(&lookup->timer, EV_TIMEOUT, 0);
}

/* --- Beginning and end -------------------------------------------------------------------- */

static int open_client(struct session *session)
{
    const struct driver_settings *settings = &session->settings;
    const char *password = conf_registry_password(settings->conf, settings->url);
    bool has_login = session->wire->has_login;
    struct http_client_settings client = {
        .base = settings->base,
        .dns = settings->dns,
        .url = settings->url,
        .tls = settings->tls,
        .user = has_login ? conf_registry_user(settings->conf, settings->url) : NULL,
        .password = has_login ? password : NULL,
        .timeout_ms = settings->conf->timeout_ms,
        .max_body_bytes = DRIVER_ANSWER_MAX,
    };
    session->fields[0] = "Accept";
    session->fields[1] = "application/json";
    if (!has_login && password != NULL) {
        session->fields[2] = session->wire->token_field;
        session->fields[3] = password;
    }
    return http_client_new(&client, &session->client);
}

int rest_open(const struct rest_wire *wire, const struct driver_settings *settings,
              void **ret_session)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return -ENOMEM;
    session->wire = wire;
    session->settings = *settings;
    int r = open_client(session);
    if (r != 0) {
        free(session);
        return r;
    }
    evtimer_assign(&session->failed, settings->base, task_failed, session);
    for (size_t i = 0; i < SERVICES_MAX; i++) {
        session->lookups[i].session = session;
        evtimer_assign(&session->lookups[i].timer, settings->base, look_up, &session->lookups[i]);
    }
    *ret_session = session;
    return 0;
}

void rest_close(void *arg)
{
    struct session *session = arg;
    if (session == NULL)
        return;
    http_client_free(session->client);
    event_del(&session->failed);
    for (size_t i = 0; i < SERVICES_MAX; i++)
        event_del(&session->lookups[i].timer);
    free(session);
}
