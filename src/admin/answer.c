#include "config.h"

#include "admin/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "http/reply.h"

/* When it is worth to try again what cannot be done now, in seconds. */
#define RETRY_AFTER "5"

static void send(struct http_request *request, int status, const char *challenge,
                 const char *retry_after, const char *type, const struct bytes *body)
{
    struct reply_header headers[] = {{"Cache-Control", "no-store"},
                                     {"WWW-Authenticate", challenge},
                                     {"Retry-After", retry_after},
                                     {NULL, NULL}};
    struct reply reply = {
        .status = status, .type = type, .body = body->at, .len = body->len, .headers = headers};
    if (body->failed)
        reply_error(request, 503, "out of memory");
    else
        reply_send(request, &reply);
}

static void send_line(struct http_request *request, int status, const char *challenge,
                      const char *retry_after, const char *text)
{
    struct bytes body = {.at = NULL};
    bytes_add_text(&body, text);
    bytes_add_text(&body, "\n");
    send(request, status, challenge, retry_after, "text/plain; charset=utf-8", &body);
    bytes_free(&body);
}

void answer_line(struct http_request *request, int status, const char *challenge, const char *text)
{
    send_line(request, status, challenge, NULL, text);
}

void answer_later(struct http_request *request, const char *text)
{
    send_line(request, 503, NULL, RETRY_AFTER, text);
}

void answer_json(struct http_request *request, int status, const json_t *value)
{
    struct bytes body = {.at = NULL};
    char *json = json_dumps(value, JSON_COMPACT);
    if (json != NULL) {
        bytes_add_text(&body, json);
        bytes_add_text(&body, "\n");
    }
    body.failed |= json == NULL;
    send(request, status, NULL, status == 503 ? RETRY_AFTER : NULL, "application/json", &body);
    bytes_free(&body);
    free(json);
}

void answer_order(struct http_request *request, int status, const char *challenge,
                  const char *error, const char *text)
{
    struct bytes body = {.at = NULL};
    const char *retry_after = error != NULL && strcmp(error, "too-many") == 0 ? RETRY_AFTER : NULL;
    json_t *object = error == NULL ? json_pack("{sbss*}", "ok", 1, "text", text)
                                   : json_pack("{sbssss*}", "ok", 0, "error", error, "text", text);
    char *json = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (json != NULL) {
        bytes_add_text(&body, json);
        bytes_add_text(&body, "\n");
    }
    body.failed |= json == NULL;
    send(request, status, challenge, retry_after, "application/json", &body);
    bytes_free(&body);
    free(json);
    json_decref(object);
}
