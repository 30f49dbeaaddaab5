#include "config.h"

#include "discovery/registries/etcd_link.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "discovery/http_client.h"

struct etcd_call {
    LIST_ENTRY(etcd_call) entry;
    struct etcd_link *link;
    struct etcd_request request;
    struct http_client_call *http; /* NULL: it waits for the login */
    bool is_repeated;              /* with a second token */
    bool is_doomed;                /* the login that it waited for has failed */
};

struct etcd_link {
    struct http_client *client;
    const char *user; /* NULL: nobody */
    const char *password;
    bool is_open; /* authentication is not enabled */
    char *token;  /* NULL: none yet */
    struct http_client_call *login;
    LIST_HEAD(calls, etcd_call) calls;
};

int etcd_link_new(const struct driver_settings *settings, struct etcd_link **ret_link)
{
    struct etcd_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return -ENOMEM;
    LIST_INIT(&link->calls);
    link->user = conf_registry_user(settings->conf, settings->url);
    link->password = conf_registry_password(settings->conf, settings->url);
    const struct http_client_settings client = {
        .base = settings->base,
        .dns = settings->dns,
        .url = settings->url,
        .tls = settings->tls,
        .timeout_ms = settings->conf->timeout_ms,
        .max_body_bytes = DRIVER_ANSWER_MAX,
    };
    int r = http_client_new(&client, &link->client);
    if (r < 0) {
        free(link);
        return r;
    }
    *ret_link = link;
    return 0;
}

static void free_call(struct etcd_call *call)
{
    LIST_REMOVE(call, entry);
#ifndef __clang_analyzer__ /* which does not see that nothing leads here any more */
    free(call->request.body);
    free(call);
#endif
}

static void free_token(struct etcd_link *link)
{
    if (link->token != NULL)
        explicit_bzero(link->token, strlen(link->token));
    free(link->token);
    link->token = NULL;
}

void etcd_link_free(struct etcd_link *link)
{
    if (link == NULL)
        return;
    http_client_free(link->client);
    while (!LIST_EMPTY(&link->calls))
        free_call(LIST_FIRST(&link->calls));
    free_token(link);
    free(link);
}

void etcd_link_cancel(struct etcd_call *call)
{
    if (call == NULL)
        return;
    if (call->http != NULL)
        http_client_cancel(call->http);
    free_call(call);
}

void etcd_link_forget_token(struct etcd_link *link)
{
    link->is_open = false;
    if (link->login == NULL)
        free_token(link);
}

/* --- The end of a call ----------------------------------------------------------------------- */

/* Calls back when the call is gone already, so that all of the link may be used there. */
static void end(struct etcd_call *call, const struct etcd_refusal *refusal, const char *body,
                size_t len)
{
    struct etcd_request request = call->request;
    call->request.body = NULL;
    free_call(call);
    free(request.body);
    request.done(refusal, body, len, request.arg);
}

static void fail(struct etcd_call *call, const char *why)
{
    struct etcd_refusal refusal = {.outcome = DRIVER_UNREACHABLE};
    (void)snprintf(refusal.why, sizeof(refusal.why), "%s", why);
    end(call, &refusal, "", 0);
}

void etcd_link_hide(const struct etcd_link *link, struct etcd_refusal *refusal)
{
    etcd_wire_hide(link->password, refusal);
    etcd_wire_hide(link->token, refusal);
}

typedef void refuse_answer(int status, const char *body, size_t len,
                           struct etcd_refusal *ret_refusal);

/* What is wrong with an answer; returns whether something is. */
static bool is_refused(const struct http_client_answer *answer, refuse_answer *refuse,
                       struct etcd_refusal *ret_refusal)
{
    if (answer->status == 200)
        return false;
    if (answer->status != 0) {
        refuse(answer->status, answer->body, answer->len, ret_refusal);
        return true;
    }
    *ret_refusal = (struct etcd_refusal){.outcome = DRIVER_UNREACHABLE};
    (void)snprintf(ret_refusal->why, ETCD_WHY_SIZE, "%s", answer->error);
    return true;
}

/* --- Sending, with a token if there has to be one ------------------------------------------ */

static void on_answer(const struct http_client_answer *answer, void *arg);

static void on_line(const char *line, size_t len, void *arg)
{
    struct etcd_call *call = arg;
    call->request.line(line, len, call->request.arg);
}

static bool send_call(struct etcd_call *call)
{
    struct etcd_link *link = call->link;
    assert(call->request.body != NULL);
    const char *const fields[] = {"Authorization", link->token, NULL};
    const struct http_client_request request = {
        .method = "POST",
        .target = call->request.target,
        .content_type = "application/json",
        .body = call->request.body,
        .body_len = strlen(call->request.body),
        .fields = link->token == NULL ? NULL : fields,
        .line = call->request.line == NULL ? NULL : on_line,
        .done = on_answer,
        .arg = call,
    };
    call->http = http_client_send(link->client, &request);
    return call->http != NULL;
}

/* All that wait for the login: the callback of one may add others, or cancel some. */
static struct etcd_call *next_waiting(struct etcd_link *link, bool is_doomed)
{
    struct etcd_call *call = LIST_FIRST(&link->calls);
    while (call != NULL && (call->http != NULL || call->is_doomed != is_doomed))
        call = LIST_NEXT(call, entry);
    return call;
}

static void go_on(struct etcd_link *link)
{
    struct etcd_call *call;
    while ((call = next_waiting(link, false)) != NULL)
        if (!send_call(call))
            fail(call, "out of memory");
}

static void give_up(struct etcd_link *link, const struct etcd_refusal *refusal)
{
    struct etcd_call *call;
    while ((call = next_waiting(link, false)) != NULL)
        call->is_doomed = true;
    while ((call = next_waiting(link, true)) != NULL)
        end(call, refusal, "", 0);
}

static void on_login(const struct http_client_answer *answer, void *arg)
{
    struct etcd_link *link = arg;
    struct etcd_refusal refusal = {0};
    link->login = NULL;
    bool refused = is_refused(answer, etcd_wire_refuse_login, &refusal);
    if (refused && refusal.reason == ETCD_NO_AUTH) {
        /* As etcd's own clients do: the configuration may be ahead of the server. */
        link->is_open = true;
    } else if (refused) {
        give_up(link, &refusal);
        return;
    } else if (etcd_wire_read_token(answer->body, answer->len, &link->token) < 0) {
        refusal = (struct etcd_refusal){DRIVER_UNREACHABLE, ETCD_PLAIN, "it gives no token"};
        give_up(link, &refusal);
        return;
    }
    go_on(link);
}

static bool log_in(struct etcd_link *link)
{
    char *body = etcd_wire_login(link->user, link->password == NULL ? "" : link->password);
    if (body == NULL)
        return false;
    const struct http_client_request request = {
        .method = "POST",
        .target = ETCD_AUTHENTICATE,
        .content_type = "application/json",
        .body = body,
        .body_len = strlen(body),
        .done = on_login,
        .arg = link,
    };
    link->login = http_client_send(link->client, &request);
    explicit_bzero(body, strlen(body));
    free(body);
    return link->login != NULL;
}

/* Returns false: out of memory. */
static bool send_or_wait(struct etcd_call *call)
{
    struct etcd_link *link = call->link;
    bool has_token = link->token != NULL && link->login == NULL;
    if (link->user == NULL || link->is_open || has_token)
        return send_call(call);
    return link->login != NULL || log_in(link);
}

static void on_answer(const struct http_client_answer *answer, void *arg)
{
    struct etcd_call *call = arg;
    struct etcd_refusal refusal;
    call->http = NULL;
    if (!is_refused(answer, etcd_wire_refuse, &refusal)) {
        end(call, NULL, answer->body, answer->len);
        return;
    }
    etcd_link_hide(call->link, &refusal);
    if (refusal.reason != ETCD_NO_TOKEN || call->is_repeated || call->link->user == NULL) {
        end(call, &refusal, "", 0);
        return;
    }
    call->is_repeated = true;
    etcd_link_forget_token(call->link);
    if (!send_or_wait(call))
        fail(call, "out of memory");
}

struct etcd_call *etcd_link_send(struct etcd_link *link, const struct etcd_request *request)
{
    struct etcd_call *call = request->body == NULL ? NULL : calloc(1, sizeof(*call));
    if (call == NULL) {
        free(request->body);
        return NULL;
    }
    *call = (struct etcd_call){.link = link, .request = *request};
    LIST_INSERT_HEAD(&link->calls, call, entry);
    if (send_or_wait(call))
        return call;
    free_call(call);
    return NULL;
}
