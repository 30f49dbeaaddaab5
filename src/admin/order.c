/* POST /restart, /scale and /kill: passed on to the master, and answered when it is done. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "admin/answer.h"
#include "admin/feed.h"
#include "admin/guard.h"
#include "admin/order_body.h"
#include "admin/site_state.h"
#include "http/handlers/handler.h"
#include "http/request.h"

/* A rolling restart may take longer; it goes on then, and the page sees how. */
#define PATIENCE_MS 30000

struct order {
    struct http_request *request;
    struct control_client *client;
    uint64_t id;
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

static void on_heard(const json_t *line, bool is_last, void *arg)
{
    struct order *order = arg;
    if (!is_last)
        return;
    const char *error = json_string_value(json_object_get(line, "error"));
    const char *text = json_string_value(json_object_get(line, "text"));
    if (line == NULL)
        answer_order(order->request, 503, NULL, "failed", "the master is gone");
    else if (json_is_true(json_object_get(line, "ok")))
        answer_order(order->request, 200, NULL, NULL, text);
    else
        answer_order(order->request, status_of(error != NULL ? error : ""), NULL,
                     error != NULL ? error : "failed", text);
}

static void on_gone(struct http_request *request, void *arg)
{
    const struct order *order = arg;
    (void)request;
    control_client_forget(order->client, order->id);
}

static void on_late(struct http_request *request)
{
    struct order *order = request_suspended(request);
    control_client_forget(order->client, order->id);
    answer_order(request, 503, NULL, "failed",
                 "the master has not finished within 30 s, and goes on");
}

/* Takes the reference to arguments. */
static void give(struct http_request *request, const char *command, json_t *arguments)
{
    struct order *order = request_memory(request, sizeof *order);
    if (order == NULL || request_wait(request, PATIENCE_MS, on_late) != 0) {
        json_decref(arguments);
        answer_order(request, 503, NULL, "failed", "out of memory");
        return;
    }
    *order = (struct order){.request = request, .client = feed_client(site_of(request)->feed)};
    request_suspend(request, on_gone, order);
    order->id = control_client_ask(order->client, command, arguments, on_heard, order);
    if (order->id == 0)
        answer_order(request, 503, NULL, "failed", "the master is gone");
}

static void serve(struct http_request *request)
{
    size_t len;
    json_t *arguments;
    const char *why;
    if (!guard_admits(request, REACH_ORDERS))
        return;
    const char *command = site_order(request);
    const char *body = request_body(request, &len);
    int err = order_body_read(command, body, len, &arguments, &why);
    if (err == 0)
        give(request, command, arguments);
    else
        answer_order(request, err == -EINVAL ? 400 : 503, NULL,
                     err == -EINVAL ? "bad-request" : "failed", why);
}

const struct handler admin_order = {.conf = {.name = "order", .methods = "POST"}, .serve = serve};
