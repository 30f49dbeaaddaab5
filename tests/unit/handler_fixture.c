#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "conf/value.h"
#include "handler_fixture.h"
#include "http/reply.h"
#include "http/request.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

const char *request_method(const struct http_request *request)
{
    return request->method != NULL ? request->method : "GET";
}

const char *request_path(const struct http_request *request)
{
    return request->path != NULL ? request->path : "/";
}

const char *request_raw_path_below(const struct http_request *request)
{
    return or_empty(request->raw_below);
}

const char *request_query(const struct http_request *request)
{
    return or_empty(request->query);
}

const char *request_wildcard_at(const struct http_request *request, size_t n,
                                const char **ret_value)
{
    const struct pair *pair = request->wildcards;

    while (pair != NULL && pair->name != NULL && n > 0)
        pair++, n--;
    if (pair == NULL || pair->name == NULL)
        return NULL;
    *ret_value = pair->value;
    return pair->name;
}

const char *request_header(const struct http_request *request, const char *name)
{
    const struct pair *pair = request->headers;

    for (; pair != NULL && pair->name != NULL; pair++)
        if (strcasecmp(pair->name, name) == 0)
            return pair->value;
    return NULL;
}

void request_each_header(const struct http_request *request,
                         void (*each)(const char *name, const char *value, void *arg), void *arg)
{
    const struct pair *pair = request->headers;

    for (; pair != NULL && pair->name != NULL; pair++)
        each(pair->name, pair->value, arg);
}

const char *request_body(const struct http_request *request, size_t *ret_len)
{
    const char *body = or_empty(request->body);

    *ret_len = request->len > 0 ? request->len : strlen(body);
    return body;
}

/* No handler needs more than one piece so far. */
void *request_memory(const struct http_request *request, size_t size)
{
    struct http_request *owner = (struct http_request *)request;

    assert_null(request->memory);
    owner->memory = request->lacks_memory ? NULL : malloc(size);
    return owner->memory;
}

const void *request_settings(const struct http_request *request)
{
    return request->settings;
}

void *request_state(const struct http_request *request)
{
    return request->state;
}

int request_wait(struct http_request *request, int64_t delay_ms,
                 void (*then)(struct http_request *request))
{
    if (request->wait_result != 0)
        return request->wait_result;
    request->waits_ms = delay_ms;
    request->then = then;
    return 0;
}

static void note_field(struct http_request *request, const struct reply_header *header)
{
    size_t n = request->n_fields++;

    assert_true(n < sizeof request->fields / sizeof request->fields[0]);
    request->fields[n].name = strdup(header->name);
    request->fields[n].value = strdup(header->value);
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    const struct reply_header *header = reply->headers;

    handler_forget(request);
    request->answers++;
    request->status = reply->status;
    request->type = reply->type != NULL ? strdup(reply->type) : NULL;
    request->answer = strndup(or_empty(reply->body), reply->len);
    for (; header != NULL && header->name != NULL; header++)
        if (header->value != NULL)
            note_field(request, header);
}

void reply_error(struct http_request *request, int status, const char *detail)
{
    struct reply reply = {
        .status = status, .type = "text/plain", .body = detail, .len = strlen(detail)};

    reply_send(request, &reply);
}

const char *reply_reason(int status)
{
    return status == 302 ? "Found" : "Reason";
}

static char *value_of(const struct conf_option *option, const struct pair *values)
{
    for (; values->name != NULL; values++)
        if (strcmp(values->name, option->key) == 0)
            return (char *)values->value;
    return (char *)option->fallback;
}

void *handler_settings(const struct handler *handler, const struct pair *values)
{
    void *settings = calloc(1, handler->conf.settings_size);

    assert_non_null(settings);
    for (const struct conf_option *option = handler->conf.options; option->key != NULL; option++) {
        char why[CONF_WHY_SIZE], *text = value_of(option, values);
        struct conf_list texts = {&text, 1};

        if (text == NULL)
            fail_msg("%s is required", option->key);
        if (conf_value_read(option, &texts, NULL, settings, why) != 0)
            fail_msg("%s: %s", option->key, why);
    }
    return settings;
}

void handler_settings_free(const struct handler *handler, void *settings)
{
    conf_settings_clear(handler->conf.options, settings);
    free(settings);
}

void handler_ask(const struct handler *handler, struct http_request *request)
{
    request->answers = 0;
    request->waits_ms = 0;
    handler->serve(request);
    assert_int_equal(request->answers, request->waits_ms == 0 ? 1 : 0);
}

void handler_go_on(struct http_request *request)
{
    request->then(request);
    assert_int_equal(request->answers, 1);
}

const char *handler_field(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_fields; i++)
        if (strcmp(request->fields[i].name, name) == 0)
            return request->fields[i].value;
    return NULL;
}

void handler_forget(struct http_request *request)
{
    free(request->type);
    free(request->answer);
    free(request->memory);
    request->type = request->answer = NULL;
    request->memory = NULL;
    for (; request->n_fields > 0; request->n_fields--) {
        free(request->fields[request->n_fields - 1].name);
        free(request->fields[request->n_fields - 1].value);
    }
}
