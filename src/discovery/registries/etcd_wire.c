#include "config.h"

#include "discovery/registries/etcd_wire.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/json_text.h"
#include "discovery/registries/etcd_json.h"

/* --- Bodies of requests ------------------------------------------------------------------ */

/* The text of an object, which is freed; NULL stays NULL. */
static char *dump(json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

char *etcd_wire_grant(long ttl_s)
{
    return dump(json_pack("{s:o}", "TTL", etcd_json_text(ttl_s)));
}

char *etcd_wire_lease(int64_t lease)
{
    return dump(json_pack("{s:o}", "ID", etcd_json_text(lease)));
}

static json_t *put_of(const char *key, const char *value, int64_t lease)
{
    return json_pack("{s:o, s:o, s:o}", "key", etcd_json_base64(key), "value",
                     etcd_json_base64(value), "lease", etcd_json_text(lease));
}

char *etcd_wire_put(const char *key, const char *value, int64_t lease)
{
    return dump(put_of(key, value, lease));
}

char *etcd_wire_update(const char *key, const char *value, int64_t lease)
{
    return dump(json_pack("{s:[{s:o, s:s, s:s, s:o}], s:[{s:o}]}", "compare", "key",
                          etcd_json_base64(key), "target", "LEASE", "result", "EQUAL", "lease",
                          etcd_json_text(lease), "success", "request_put",
                          put_of(key, value, lease)));
}

char *etcd_wire_count(const char *key)
{
    return dump(json_pack("{s:o, s:b}", "key", etcd_json_base64(key), "count_only", 1));
}

char *etcd_wire_delete(const char *key)
{
    return dump(json_pack("{s:o}", "key", etcd_json_base64(key)));
}

/* The key behind all that begin with the prefix, which ends in '/'; an allocated text. */
static char *end_of(const char *prefix)
{
    char *end = strdup(prefix);
    if (end != NULL && end[0] != '\0')
        end[strlen(end) - 1]++;
    return end;
}

/* An object with the range of keys that begin with the prefix; NULL: out of memory. */
static json_t *range_of(const char *prefix)
{
    char *end = end_of(prefix);
    json_t *range = end == NULL ? NULL
                                : json_pack("{s:o, s:o}", "key", etcd_json_base64(prefix),
                                            "range_end", etcd_json_base64(end));
    free(end);
    return range;
}

/* Add a number and dump. */
static char *dump_with(json_t *object, const char *key, int64_t number)
{
    if (json_object_set_new(object, key, etcd_json_text(number)) == 0)
        return dump(object);
    json_decref(object);
    return NULL;
}

char *etcd_wire_range(const char *prefix)
{
    return dump_with(range_of(prefix), "limit", ETCD_KEYS_MAX);
}

char *etcd_wire_watch(const char *prefix, int64_t revision)
{
    json_t *create = range_of(prefix);
    if (json_object_set_new(create, "start_revision", etcd_json_text(revision)) == 0)
        return dump(json_pack("{s:o}", "create_request", create));
    json_decref(create);
    return NULL;
}

char *etcd_wire_login(const char *user, const char *password)
{
    return dump(json_pack("{s:s, s:s}", "name", user, "password", password));
}

/* --- Refusals ------------------------------------------------------------------------------ */

/* Statuses do not tell these apart, and a stream has none. */
static const struct known {
    const char *text;
    enum driver_outcome outcome;
    enum etcd_reason reason;
} known[] = {
    {"invalid auth token", DRIVER_DENIED, ETCD_NO_TOKEN},
    {"user name is empty", DRIVER_DENIED, ETCD_NO_TOKEN},
    {"revision of auth store is old", DRIVER_DENIED, ETCD_NO_TOKEN},
    {"authentication failed", DRIVER_DENIED, ETCD_PLAIN},
    {"permission denied", DRIVER_DENIED, ETCD_PLAIN},
    {"authentication is not enabled", DRIVER_REJECTED, ETCD_NO_AUTH},
    {"requested lease not found", DRIVER_FORGOTTEN, ETCD_PLAIN},
};

static enum driver_outcome outcome_of(int status)
{
    if (status == 401 || status == 403)
        return DRIVER_DENIED;
    bool may_pass = status < 300 || status == 408 || status == 429 || status >= 500;
    return may_pass ? DRIVER_UNREACHABLE : DRIVER_REJECTED;
}

/* Returns NULL when the text has none of them, or is NULL. */
static const struct known *find_known(const char *text)
{
    for (size_t i = 0; text != NULL && i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(text, known[i].text) != NULL)
            return &known[i];
    return NULL;
}

/* `text` is what the server says, or NULL; `quoted` is what of it is shown. */
static void refuse(int status, const char *text, const char *quoted,
                   struct etcd_refusal *ret_refusal)
{
    const struct known *found = find_known(text);
    *ret_refusal = (struct etcd_refusal){.outcome = outcome_of(status)};
    if (found != NULL) {
        ret_refusal->outcome = found->outcome;
        ret_refusal->reason = found->reason;
    }
    if (quoted == NULL)
        (void)snprintf(ret_refusal->why, ETCD_WHY_SIZE, "it answers with status %d", status);
    else
        (void)snprintf(ret_refusal->why, ETCD_WHY_SIZE, "it says: %s", quoted);
}

/* Versions differ in which of them they have. */
static const char *message_of(const json_t *answer)
{
    const char *message = json_string_value(json_object_get(answer, "message"));
    return message != NULL ? message : json_string_value(json_object_get(answer, "error"));
}

void etcd_wire_refuse(int status, const char *body, size_t len, struct etcd_refusal *ret_refusal)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    const char *message = message_of(answer);
    refuse(status, message, message, ret_refusal);
    json_decref(answer);
}

void etcd_wire_refuse_login(int status, const char *body, size_t len,
                            struct etcd_refusal *ret_refusal)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    const char *message = message_of(answer);
    const struct known *found = find_known(message);
    refuse(status, message, found != NULL ? found->text : NULL, ret_refusal);
    json_decref(answer);
}

void etcd_wire_refuse_text(const char *text, struct etcd_refusal *ret_refusal)
{
    const char *said = text == NULL ? "the stream is over" : text;
    refuse(0, said, said, ret_refusal);
}

/* Whether a text has a secret in it, or, as it may have been cut, ends with the secret's begin. */
static bool shows(const char *text, const char *secret)
{
    size_t len = strlen(text), n = strlen(secret);
    if (n == 0)
        return false;
    if (strstr(text, secret) != NULL)
        return true;
    for (size_t i = len == ETCD_WHY_SIZE - 1 ? 1 : n; i < n && i <= len; i++)
        if (memcmp(text + len - i, secret, i) == 0)
            return true;
    return false;
}

void etcd_wire_hide(const char *secret, struct etcd_refusal *refusal)
{
    if (secret != NULL && shows(refusal->why, secret))
        (void)snprintf(refusal->why, ETCD_WHY_SIZE, "what it says has a secret in it");
}

/* --- Answers --------------------------------------------------------------------------------- */

int etcd_wire_read_grant(const char *body, size_t len, int64_t *ret_lease)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    int64_t lease = 0;
    int r = etcd_json_number(answer, "ID", &lease);
    json_decref(answer);
    if (r < 0 || lease == 0)
        return -EINVAL;
    *ret_lease = lease;
    return 0;
}

int etcd_wire_read_keepalive(const char *body, size_t len)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    const json_t *result = json_object_get(answer, "result");
    int64_t ttl_s = 0;
    int r = json_is_object(result) ? etcd_json_number(result, "TTL", &ttl_s) : -EINVAL;
    json_decref(answer);
    if (r < 0)
        return r;
    return ttl_s == 0 ? -ENOENT : 0;
}

int etcd_wire_read_update(const char *body, size_t len)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    int r = -EINVAL;
    if (json_is_object(json_object_get(answer, "header")))
        r = json_is_true(json_object_get(answer, "succeeded")) ? 0 : -ENOENT;
    json_decref(answer);
    return r;
}

int etcd_wire_read_count(const char *body, size_t len, int64_t *ret_count)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    int r = json_is_object(json_object_get(answer, "header"))
                ? etcd_json_number(answer, "count", ret_count)
                : -EINVAL;
    json_decref(answer);
    return r;
}

static bool can_be_field(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '!' || text[i] > '~')
            return false;
    return len > 0;
}

int etcd_wire_read_token(const char *body, size_t len, char **ret_token)
{
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    const json_t *value = json_object_get(answer, "token");
    char *token = NULL;
    int r = -EINVAL;
    if (json_is_string(value) &&
        can_be_field(json_string_value(value), json_string_length(value))) {
        token = strdup(json_string_value(value));
        r = token == NULL ? -ENOMEM : 0;
    }
    json_decref(answer);
    if (r == 0)
        *ret_token = token;
    return r;
}
