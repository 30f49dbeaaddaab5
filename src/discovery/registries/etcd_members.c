#include "config.h"

#include "discovery/registries/etcd_members.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/json_text.h"
#include "discovery/registries/etcd_json.h"
#include "discovery/registries/payload.h"

/* --- The list ---------------------------------------------------------------------------- */

void etcd_members_free(struct etcd_members *members)
{
    free(members->at);
    *members = (struct etcd_members){0};
}

bool etcd_members_equal(struct etcd_members *a, struct etcd_members *b)
{
    a->n = members_sort(a->at, a->n);
    b->n = members_sort(b->at, b->n);
    return members_equal(a->at, a->n, b->at, b->n);
}

/* The member of this id; members->n: there is none. */
static size_t find(const struct etcd_members *members, const char *id)
{
    size_t i = 0;
    while (i < members->n && strcmp(members->at[i].id, id) != 0)
        i++;
    return i;
}

static int make_room(struct etcd_members *members)
{
    if (members->n < members->size)
        return 0;
    size_t size = members->size == 0 ? 8 : 2 * members->size;
    struct member *at = reallocarray(members->at, size, sizeof(*at));
    if (at == NULL)
        return -ENOMEM;
    members->at = at;
    members->size = size;
    return 0;
}

/* Returns 1 when the list is another one now, 0, or -ENOMEM. */
static int put(struct etcd_members *members, const struct member *member)
{
    size_t i = find(members, member->id);
    if (i < members->n && members_equal(&members->at[i], 1, member, 1))
        return 0;
    if (i >= members->n) {
        if (members->n >= MEMBERS_MAX) {
            members->n_skipped++;
            return 0;
        }
        int r = make_room(members);
        if (r < 0)
            return r;
        members->n++;
    }
    assert(members->at != NULL);
    members->at[i] = *member;
    return 1;
}

/* Returns 1 when the list is another one now, or 0. */
static int drop(struct etcd_members *members, const char *id)
{
    size_t i = find(members, id);
    if (i >= members->n)
        return 0;
    assert(members->at != NULL);
    members->at[i] = members->at[--members->n];
    return 1;
}

/* --- Keys and values ----------------------------------------------------------------------- */

/* What is behind the prefix in a key; NULL: it belongs to something else. */
static const char *name_in(const char *key, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);
    bool is_ours = len > n && memcmp(key, prefix, n) == 0 && strlen(key) == len &&
                   strchr(key + n, '/') == NULL;
    return is_ours ? key + n : NULL;
}

/* A value that makes no sense stands for a member that is not there. */
static int put_value(struct etcd_members *members, const json_t *kv, const char *name, size_t len)
{
    struct member member;
    char *value;
    size_t value_len;
    int r = etcd_json_bytes(kv, "value", &value, &value_len);
    if (r == 0) {
        r = payload_read(name, len, value, value_len, &member);
        free(value);
    }
    if (r == 0)
        return put(members, &member);
    if (r == -EINVAL) {
        members->n_skipped++;
        return drop(members, name);
    }
    return r;
}

/* Do to the list what became of a key. Returns 1 when it is another one now, 0, or -errno. */
static int take(struct etcd_members *members, const json_t *kv, const char *prefix, bool is_deleted)
{
    char *key;
    size_t len;
    int r = etcd_json_bytes(kv, "key", &key, &len);
    if (r < 0)
        return r;
    const char *name = name_in(key, len, prefix);
    if (name != NULL)
        r = is_deleted ? drop(members, name)
                       : put_value(members, kv, name, len - (size_t)(name - key));
    free(key);
    return r;
}

/* --- Answers ------------------------------------------------------------------------------- */

/* A watch begins with the revision behind it: there has to be one. */
static int read_revision(const json_t *object, const char *key, int64_t *ret_revision)
{
    int64_t revision = 0;
    int r = etcd_json_number(object, key, &revision);
    if (r < 0 || revision == INT64_MAX)
        return -EINVAL;
    *ret_revision = revision;
    return 0;
}

static int take_all(const json_t *answer, const char *prefix, struct etcd_members *members)
{
    int r = read_revision(json_object_get(answer, "header"), "revision", &members->revision);
    const json_t *kvs = json_object_get(answer, "kvs");
    if (r < 0 || members->revision == 0 || (kvs != NULL && !json_is_array(kvs)))
        return -EINVAL;
    size_t i;
    const json_t *kv;
    json_array_foreach(kvs, i, kv)
    {
        r = take(members, kv, prefix, false);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            members->n_skipped++;
    }
    return 0;
}

int etcd_members_read(const char *body, size_t len, const char *prefix,
                      struct etcd_members *ret_members)
{
    struct etcd_members members = {0};
    json_t *answer = json_text_read(body, len, JSON_ALLOW_NUL);
    int r = take_all(answer, prefix, &members);
    json_decref(answer);
    if (r < 0) {
        etcd_members_free(&members);
        return r;
    }
    *ret_members = members;
    return 0;
}

/* Returns 1 when the list is another one now, 0, or -errno. */
static int take_event(struct etcd_members *members, const json_t *event, const char *prefix)
{
    const json_t *kv = json_object_get(event, "kv");
    const char *type = json_string_value(json_object_get(event, "type"));
    int64_t revision = 0;
    int r = read_revision(kv, "mod_revision", &revision);
    if (r < 0)
        return r;
    if (revision > members->revision)
        members->revision = revision;
    return take(members, kv, prefix, type != NULL && strcmp(type, "DELETE") == 0);
}

static int take_events(struct etcd_members *members, const json_t *events, const char *prefix,
                       enum etcd_event *ret_event)
{
    bool is_changed = false;
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        int r = take_event(members, event, prefix);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            members->n_skipped++;
        is_changed |= r > 0;
    }
    *ret_event = is_changed ? ETCD_CHANGED : ETCD_NOTHING;
    return 0;
}

static void end(const json_t *result, struct etcd_refusal *ret_refusal)
{
    int64_t oldest = 0;
    etcd_wire_refuse_text(json_string_value(json_object_get(result, "cancel_reason")), ret_refusal);
    if (etcd_json_number(result, "compact_revision", &oldest) == 0 && oldest > 0)
        ret_refusal->outcome = DRIVER_DONE;
}

static int apply(struct etcd_members *members, const json_t *message, const char *prefix,
                 enum etcd_event *ret_event, struct etcd_refusal *ret_refusal)
{
    const json_t *error = json_object_get(message, "error");
    const json_t *result = json_object_get(message, "result");
    if (error != NULL) {
        const json_t *text = json_is_object(error) ? json_object_get(error, "message") : error;
        etcd_wire_refuse_text(json_string_value(text), ret_refusal);
        *ret_event = ETCD_ENDED;
        return 0;
    }
    if (!json_is_object(result))
        return -EINVAL;
    if (json_is_true(json_object_get(result, "canceled"))) {
        end(result, ret_refusal);
        *ret_event = ETCD_ENDED;
        return 0;
    }
    return take_events(members, json_object_get(result, "events"), prefix, ret_event);
}

int etcd_members_apply(struct etcd_members *members, const char *line, size_t len,
                       const char *prefix, enum etcd_event *ret_event,
                       struct etcd_refusal *ret_refusal)
{
    json_t *message = json_text_read(line, len, JSON_ALLOW_NUL);
    int r = apply(members, message, prefix, ret_event, ret_refusal);
    json_decref(message);
    return r;
}
