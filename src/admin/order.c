/* POST /restart, /scale and /kill: passed on to the master, and answered when it is done. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/answer.h"
#include "admin/feed.h"
#include "admin/guard.h"
#include "admin/order_body.h"
#include "admin/site_state.h"
#include "control/server.h"
#include "http/handlers/handler.h"
#include "http/request.h"

/* A rolling restart may take longer; it goes on then, and the page sees how. */
#define PATIENCE_MS 30000

/* So many the master may be busy with at a time. */
#define ORDERS_MAX 8

_Static_assert(ORDERS_MAX * 2 <= CONTROL_REQUESTS_MAX, "there is room for the site's questions");

/* It lives until the master has said its last word, whether anybody waits for that or not. */
struct order {
    LIST_ENTRY(order) entry;
    struct admin_site *site;
    struct http_request *request; /* NULL: nobody waits any more */
};

/* What errors of the control protocol are in HTTP. */
static const struct {
    const char *error;
    int status;
} statuses[] = {
    {"bad-request", 400}, {"unknown-command", 404}, {"bad-argument", 400}, {"unknown-slot", 404},
    {"not-allowed", 403}, {"refused", 409},         {"failed", 503},       {"too-many", 503},
};

static int status_of(const char *error)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (strcmp(statuses[i].error, error) == 0)
            return statuses[i].status;
    return 503;
}

static void drop(struct order *order)
{
    LIST_REMOVE(order, entry);
    order->site->n_orders--;
    free(order);
}

static void pass_on(struct http_request *request, const json_t *line)
{
    const char *error = json_string_value(json_object_get(line, "error"));
    const char *text = json_string_value(json_object_get(line, "text"));
    if (line == NULL)
        answer_order(request, 503, NULL, "failed", "the master is gone");
    else if (json_is_true(json_object_get(line, "ok")))
        answer_order(request, 200, NULL, NULL, text);
    else
        answer_order(request, status_of(error != NULL ? error : ""), NULL,
                     error != NULL ? error : "failed", text);
}

static void on_heard(const json_t *line, bool is_last, void *arg)
{
    struct order *order = arg;
    struct http_request *request = order->request;
    if (!is_last)
        return;
    drop(order);
    if (request != NULL)
        pass_on(request, line);
}

static void on_gone(struct http_request *request, void *arg)
{
    struct order *order = arg;
    (void)request;
    order->request = NULL;
}

static void on_late(struct http_request *request)
{
    struct order *order = request_suspended(request);
    order->request = NULL;
    answer_order(request, 503, NULL, "failed",
                 "the master has not finished within 30 s, and goes on");
}

/* One more that the master is to carry out; NULL when memory is short. */
static struct order *add(struct http_request *request)
{
    struct admin_site *site = site_of(request);
    struct order *order = malloc(sizeof *order);
    if (order == NULL || request_wait(request, PATIENCE_MS, on_late) != 0) {
        free(order);
        return NULL;
    }
    *order = (struct order){.site = site, .request = request};
    LIST_INSERT_HEAD(&site->orders, order, entry);
    site->n_orders++;
    request_suspend(request, on_gone, order);
    return order;
}

/* Takes the reference to arguments. */
static void give(struct http_request *request, const char *command, json_t *arguments)
{
    struct control_client *master = feed_client(site_of(request)->feed);
    struct order *order = add(request);
    if (order == NULL) {
        json_decref(arguments);
        answer_order(request, 503, NULL, "failed", "out of memory");
    } else if (control_client_ask(master, command, arguments, on_heard, order) == 0) {
        drop(order);
        answer_order(request, 503, NULL, "failed", "the master is gone");
    }
}

static void understand(struct http_request *request)
{
    const char *command = site_order(request), *why;
    size_t len;
    const char *body = request_body(request, &len);
    json_t *arguments;
    int err = order_body_read(command, body, len, &arguments, &why);
    if (err == 0)
        give(request, command, arguments);
    else
        answer_order(request, err == -EINVAL ? 400 : 503, NULL,
                     err == -EINVAL ? "bad-request" : "failed", why);
}

static void serve(struct http_request *request)
{
    if (!guard_admits(request, REACH_ORDERS))
        return;
    if (site_of(request)->n_orders < ORDERS_MAX)
        understand(request);
    else
        answer_order(request, 503, NULL, "too-many", "too many orders are under way");
}

void order_forget_all(struct admin_site *site)
{
    struct order *order, *next;
    for (order = LIST_FIRST(&site->orders); order != NULL; order = next) {
        next = LIST_NEXT(order, entry);
        drop(order);
    }
}

const struct handler admin_order = {.conf = {.name = "order", .methods = "POST"}, .serve = serve};
