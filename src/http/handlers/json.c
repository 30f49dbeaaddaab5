/*
 * Answers, as JSON, what it understood of a request: a debugging aid, and the
 * test bed of request.h. What is not UTF-8 is shown as U+FFFD, and credentials
 * are not shown. While a body is decoded it takes up to 80 times its size ("{}"
 * again and again): max_body bounds that.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/utf8.h"
#include "http/handlers/handler.h"
#include "http/handlers/json_type.h"
#include "http/octets.h"
#include "http/query.h"
#include "http/reply.h"
#include "http/request.h"

/* Fields whose values are credentials; RFC 9110 section 11, RFC 6265 section 4.2. */
static const char *const secret[] = {"authorization", "cookie", "proxy-authorization"};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The text as UTF-8, allocated: each byte that is no part of it is replaced. NULL: no memory. */
static char *clean(const char *text)
{
    size_t len = strlen(text), used = 0;
    char *out = malloc(len * (sizeof replacement - 1) + 1);
    for (size_t i = 0; out != NULL && i < len;) {
        size_t sequence = utf8_sequence_length(text + i, len - i);
        size_t n = sequence > 0 ? sequence : sizeof replacement - 1;
        memcpy(out + used, sequence > 0 ? text + i : replacement, n);
        used += n;
        i += sequence > 0 ? sequence : 1;
    }
    if (out != NULL)
        out[used] = '\0';
    return out;
}

/* A JSON string; NULL: no memory. */
static json_t *text_of(const char *text)
{
    char *cleaned = clean(text);
    json_t *string = cleaned != NULL ? json_string_nocheck(cleaned) : NULL;
    free(cleaned);
    return string;
}

/* Add the text to the list of that key. Returns 0, or -1 without memory. */
static int append(json_t *lists, const char *key, const char *text)
{
    char *cleaned = clean(key);
    json_t *list = cleaned != NULL ? json_object_get(lists, cleaned) : NULL;
    int err = cleaned != NULL ? 0 : -1;
    if (err == 0 && list == NULL) {
        list = json_array();
        err = json_object_set_new_nocheck(lists, cleaned, list);
    }
    free(cleaned);
    return err == 0 ? json_array_append_new(list, text_of(text)) : err;
}

static json_t *params_of(const struct http_request *request)
{
    json_t *params = json_object();
    const char *name, *value;
    int err = 0;
    for (size_t i = 0; (name = request_wildcard_at(request, i, &value)) != NULL; i++)
        err |= json_object_set_new(params, name, text_of(value));
    if (err == 0)
        return params;
    json_decref(params);
    return NULL;
}

static bool is_secret(const char *name)
{
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (strcmp(name, secret[i]) == 0)
            return true;
    return false;
}

/* `arg` is where the lists are; they become NULL when memory is short. */
static void add_header(const char *name, const char *value, void *arg)
{
    json_t **lists = arg;
    char *lower = strdup(name);
    for (char *at = lower; at != NULL && *at != '\0'; at++)
        *at = octets_lower(*at);
    if (lower == NULL || append(*lists, lower, is_secret(lower) ? "***" : value) != 0) {
        json_decref(*lists);
        *lists = NULL;
    }
    free(lower);
}

static json_t *headers_of(const struct http_request *request)
{
    json_t *lists = json_object();
    request_each_header(request, add_header, &lists);
    return lists;
}

/* Send the object, which is used up; NULL: there was no memory for it. */
static void answer(struct http_request *request, int status, json_t *object)
{
    static const struct reply_header acceptable[] = {
        {"Cache-Control", "no-store"}, {"Accept", "application/json"}, {NULL, NULL}};
    static const struct reply_header plain[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    char *body = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (body == NULL) {
        reply_error(request, 500, "out of memory");
        return;
    }
    struct reply reply = {
        .status = status,
        .type = "application/json",
        .body = body,
        .len = strlen(body),
        .headers = status == 415 ? acceptable : plain,
    };
    reply_send(request, &reply);
    free(body);
}

/* Answer {"error": ..., "offset": ...}; an offset below 0 is left out. */
static void refuse(struct http_request *request, int status, const char *error, json_int_t offset)
{
    json_t *object = json_object();
    int err = json_object_set_new(object, "error", text_of(error));
    if (offset >= 0)
        err |= json_object_set_new(object, "offset", json_integer(offset));
    if (err != 0) {
        json_decref(object);
        object = NULL;
    }
    answer(request, status, object);
}

/* Sort the pairs of the query by key. Returns 0, -ENOMEM, or -EINVAL and sets *ret_bad_at. */
static int sort_query(const struct http_request *request, json_t *lists, size_t *ret_bad_at)
{
    const char *query = request_query(request);
    size_t len = strlen(query);
    char *buf = request_memory(request, len + 1);
    struct query_cursor cursor;
    struct query_pair pair;
    int rc;
    if (buf == NULL)
        return -ENOMEM;
    query_start(&cursor, query, len, buf);
    while ((rc = query_next(&cursor, &pair)) > 0)
        if (append(lists, pair.key, pair.value) != 0)
            return -ENOMEM;
    if (rc == -EINVAL)
        *ret_bad_at = cursor.bad_at;
    return rc;
}

/* {"key": ["value", ...]}; NULL: the request has been answered. */
static json_t *read_query(struct http_request *request)
{
    json_t *lists = json_object();
    size_t bad_at = 0;
    int err = lists != NULL ? sort_query(request, lists, &bad_at) : -ENOMEM;
    if (err == 0)
        return lists;
    json_decref(lists);
    if (err == -EINVAL)
        refuse(request, 400, "the query has a bad percent escape", (json_int_t)bad_at);
    else
        reply_error(request, 500, "out of memory");
    return NULL;
}

/* The decoded body, null without one; NULL: the request has been answered. */
static json_t *read_body(struct http_request *request)
{
    json_error_t error;
    json_t *value;
    size_t len;
    const char *body = request_body(request, &len);
    if (len == 0)
        return json_null();
    if (!json_type_fits(request_header(request, "Content-Type"))) {
        refuse(request, 415, "a body is application/json or application/*+json, in UTF-8", -1);
        return NULL;
    }
    value =
        json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value != NULL)
        return value;
    if (error.text[0] == '\0')
        reply_error(request, 500, "out of memory");
    else
        refuse(request, 400, error.text, error.position);
    return NULL;
}

/* What the request says; uses query and body up. NULL: no memory. */
static json_t *describe(const struct http_request *request, json_t *query, json_t *body)
{
    json_t *object = json_object();
    int err = json_object_set_new(object, "method", text_of(request_method(request)));
    err |= json_object_set_new(object, "path", text_of(request_path(request)));
    err |= json_object_set_new(object, "params", params_of(request));
    err |= json_object_set_new(object, "query", query);
    err |= json_object_set_new(object, "headers", headers_of(request));
    err |= json_object_set_new(object, "body", body);
    if (err == 0)
        return object;
    json_decref(object);
    return NULL;
}

static void serve(struct http_request *request)
{
    json_t *query = read_query(request);
    json_t *body = query != NULL ? read_body(request) : NULL;
    if (body == NULL)
        json_decref(query);
    else
        answer(request, 200, describe(request, query, body));
}

static const struct conf_option options[] = {{.key = NULL}};

const struct handler handler_json = {
    .conf = {.name = "json", .methods = "GET, HEAD, POST, PUT, PATCH, DELETE", .options = options},
    .serve = serve,
};
