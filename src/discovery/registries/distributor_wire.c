#include "config.h"

#include "discovery/registries/distributor_wire.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/number.h"
#include "conf/option.h"
#include "discovery/json_text.h"
#include "discovery/registries/frame.h"

#define URI "/distributes"

/* Append JSON and keep the end of a frame out of it: it can only stand within a text. */
static int add_json(struct bytes *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        return -ENOMEM;
    const char *at = text, *end;
    while ((end = strstr(at, FRAME_END)) != NULL) {
        bytes_add(out, at, (size_t)(end - at));
        bytes_add_text(out, "\\u00b6");
        at = end + strlen(FRAME_END);
    }
    bytes_add_text(out, at);
    free(text);
    return out->failed ? -ENOMEM : 0;
}

static int refuse(json_t *message, int err, const char *why, const char **ret_why)
{
    json_decref(message);
    *ret_why = why;
    return err;
}

/* Read what all messages have. On success *ret_message is the caller's. */
static int read_message(const char *frame, size_t len, json_t **ret_message,
                        const char **ret_method, const char **ret_why)
{
    json_t *message = json_text_read(frame, len, JSON_DECODE_ANY);
    if (message == NULL)
        return refuse(NULL, -EINVAL, "no JSON", ret_why);
    const char *uri = json_string_value(json_object_get(message, "uri"));
    const char *method = json_string_value(json_object_get(message, "method"));
    if (!json_is_object(message))
        return refuse(message, -EINVAL, "no JSON object", ret_why);
    if (uri == NULL || method == NULL)
        return refuse(message, -EINVAL, "no message: no uri or no method", ret_why);
    if (strcmp(uri, URI) != 0)
        return refuse(message, -EOPNOTSUPP, "another uri", ret_why);
    *ret_message = message;
    *ret_method = method;
    return 0;
}

/* Returns 0 when it is none: a number, or digits as some nodes send them. */
static unsigned port_of(const json_t *port)
{
    long number = 0;
    if (json_is_string(port))
        return number_parse(json_string_value(port), 1, UINT16_MAX, &number) == 0 ? (unsigned)number
                                                                                  : 0;
    json_int_t value = json_integer_value(port);
    return value >= 1 && value <= UINT16_MAX ? (unsigned)value : 0;
}

static bool is_list_of_texts(const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) if (!json_is_string(item)) return false;
    return json_is_array(list);
}

/* Whether it nests no deeper than that: those who read the list recurse. */
static bool is_shallow(const json_t *json, unsigned depth)
{
    size_t i;
    const char *key;
    json_t *item;
    if (!json_is_object(json) && !json_is_array(json))
        return true;
    if (depth == 0)
        return false;
    json_array_foreach(json, i, item) if (!is_shallow(item, depth - 1)) return false;
    json_object_foreach((json_t *)json, key, item) if (!is_shallow(item, depth - 1)) return false;
    return true;
}

/* NULL, or why no node can be so. */
static const char *fault_of(const json_t *params)
{
    const json_t *urls = json_object_get(params, "urls");
    if (params == NULL)
        return "no params";
    if (!json_is_object(params))
        return "params are no object";
    if (port_of(json_object_get(params, "port")) == 0)
        return "the port is no number from 1 to 65535";
    if (!json_is_string(json_object_get(params, "name")))
        return "the name is no text";
    if (urls != NULL && !is_list_of_texts(urls))
        return "urls is no list of texts";
    return is_shallow(params, DISTRIBUTOR_DEPTH_MAX) ? NULL : "params nest too deeply";
}

/* Those who read the list go through the urls of each node without a look. */
static int check_node(json_t *params, const char **ret_why)
{
    const char *fault = fault_of(params);
    if (fault != NULL) {
        *ret_why = fault;
        return -EINVAL;
    }
    if (json_object_get(params, "urls") != NULL)
        return 0;
    return json_object_set_new(params, "urls", json_array()) == 0 ? 0 : -ENOMEM;
}

int distributor_request_read(const char *frame, size_t len, struct distributor_request *ret_request,
                             const char **ret_why)
{
    json_t *message;
    const char *method;
    int err = read_message(frame, len, &message, &method, ret_why);
    if (err != 0)
        return err;
    struct distributor_request request = {.message = message,
                                          .key = json_object_get(message, "key"),
                                          .params = json_object_get(message, "params")};
    if (strcmp(method, "GET") == 0) {
        request.method = DISTRIBUTOR_GET;
        if (!is_shallow(request.key, DISTRIBUTOR_DEPTH_MAX))
            return refuse(message, -EINVAL, "the key nests too deeply", ret_why);
    } else if (strcmp(method, "POST") == 0) {
        request.method = DISTRIBUTOR_POST;
        err = check_node(request.params, ret_why);
        if (err != 0)
            return refuse(message, err, *ret_why, ret_why);
    } else {
        return refuse(message, -EOPNOTSUPP, "another method", ret_why);
    }
    *ret_request = request;
    return 0;
}

void distributor_request_clear(struct distributor_request *request)
{
    json_decref(request->message);
    *request = (struct distributor_request){.message = NULL};
}

int distributor_write_node(struct bytes *out, json_t *params, const char *host)
{
    if (json_object_set_new(params, "host", json_string(host)) != 0)
        return -ENOMEM;
    return add_json(out, params);
}

int distributor_write_head(struct bytes *out, const json_t *key)
{
    bytes_add_text(out, "{\"uri\":\"" URI "\",\"method\":\"GET\",\"key\":");
    if (key == NULL) {
        bytes_add_text(out, "0");
    } else {
        int err = add_json(out, key);
        if (err != 0)
            return err;
    }
    bytes_add_text(out, ",\"params\":");
    return out->failed ? -ENOMEM : 0;
}

void distributor_write_tail(struct bytes *out)
{
    bytes_add_text(out, "]}" FRAME_END);
}

static json_t *texts_of(const struct conf_list *list)
{
    json_t *texts = json_array();
    for (size_t i = 0; i < list->n; i++)
        if (json_array_append_new(texts, json_string(list->items[i])) != 0) {
            json_decref(texts);
            return NULL;
        }
    return texts;
}

/* Append the whole frame and take the reference; NULL: a text of it was no UTF-8. */
static int add_frame(struct bytes *out, json_t *message)
{
    if (message == NULL)
        return -EINVAL;
    int err = add_json(out, message);
    json_decref(message);
    bytes_add_text(out, FRAME_END);
    return err != 0 || out->failed ? -ENOMEM : 0;
}

int distributor_write_post(struct bytes *out, const char *name, unsigned port,
                           const struct conf_list *urls)
{
    return add_frame(out, json_pack("{s:s, s:s, s:i, s:{s:i, s:s, s:o}}", "uri", URI, "method",
                                    "POST", "key", 0, "params", "port", (int)port, "name", name,
                                    "urls", texts_of(urls)));
}

int distributor_write_get(struct bytes *out, int key)
{
    return add_frame(out, json_pack("{s:s, s:s, s:i}", "uri", URI, "method", "GET", "key", key));
}

/* An IPv4 address as servers of both families write it (RFC 4291 section 2.5.5.2). */
static const char *unmapped(const char *host)
{
    static const char prefix[] = "::ffff:";
    bool is_mapped = strncasecmp(host, prefix, sizeof prefix - 1) == 0 && strchr(host, '.') != NULL;
    return is_mapped ? host + sizeof prefix - 1 : host;
}

static bool read_node(const json_t *json, struct distributor_node *ret_node)
{
    const char *host = json_string_value(json_object_get(json, "host"));
    const char *name = json_string_value(json_object_get(json, "name"));
    unsigned port = port_of(json_object_get(json, "port"));
    if (host == NULL || *host == '\0' || name == NULL || port == 0)
        return false;
    *ret_node = (struct distributor_node){.host = unmapped(host), .name = name, .port = port};
    return true;
}

int distributor_list_read(const char *frame, size_t len,
                          void (*each)(const struct distributor_node *node, void *arg), void *arg,
                          struct distributor_list *ret_list, const char **ret_why)
{
    json_t *message;
    const char *method;
    struct distributor_node node;
    struct distributor_list read = {.key = 0};
    size_t i;
    const json_t *item;
    int err = read_message(frame, len, &message, &method, ret_why);
    if (err != 0)
        return err;
    const json_t *list = json_object_get(message, "params");
    if (strcmp(method, "GET") != 0)
        return refuse(message, -EOPNOTSUPP, "another method", ret_why);
    if (!json_is_array(list))
        return refuse(message, -EINVAL, "params are no list", ret_why);
    json_array_foreach(list, i, item) if (read_node(item, &node)) each(&node, arg);
    else read.left_out++;
    json_int_t key = json_integer_value(json_object_get(message, "key"));
    if (key > 0 && key <= INT_MAX)
        read.key = (int)key;
    json_decref(message);
    *ret_list = read;
    return 0;
}
