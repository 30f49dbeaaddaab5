#include "config.h"

#include "cluster/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uuid/uuid.h>

#include "cluster/state_claim.h"
#include "cluster/state_member.h"

/* Where we are, and what has been found so far. */
struct reader {
    uint32_t version; /* of the text */
    struct state_place place;
    struct state_claims claims;
    char *error;
};

/* What we quote of a text that somebody else wrote. */
#define QUOTED_MAX 64

/* Say what is wrong at the place where the reader is. Returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) static int refuse(const struct reader *reader,
                                                        const char *format, ...)
{
    char place[STATE_PLACE_SIZE];
    int len;
    va_list ap;

    state_place_format(&reader->place, place);
    len = snprintf(reader->error, STATE_ERROR_SIZE, "%s: ", place);
    va_start(ap, format);
    (void)vsnprintf(reader->error + len, STATE_ERROR_SIZE - (size_t)len, format, ap);
    va_end(ap);
    return -EBADMSG;
}

static int out_of_memory(char error[STATE_ERROR_SIZE])
{
    (void)snprintf(error, STATE_ERROR_SIZE, "out of memory");
    return -ENOMEM;
}

/* --- Values -------------------------------------------------------------------- */

static void store(const struct state_member *member, int64_t value, void *at)
{
    if (member->kind == STATE_INT)
        *(int *)at = (int)value;
    else if (member->kind == STATE_UINT32)
        *(uint32_t *)at = (uint32_t)value;
    else if (member->kind == STATE_INT64)
        *(int64_t *)at = value;
    else
        *(uint64_t *)at = (uint64_t)value;
}

static int read_number(struct reader *reader, const struct state_member *member, const json_t *json,
                       void *base)
{
    int64_t value = json_integer_value(json);
    bool is_none = member->optional && value == -1;

    if (!json_is_integer(json))
        return refuse(reader, "not a whole number");
    if (!is_none && (value < member->min || value > member->max))
        return refuse(reader, "%" PRId64 " is %sfrom %" PRId64 " to %" PRId64, value,
                      member->optional ? "neither -1 nor " : "not ", member->min, member->max);
    store(member, value, (char *)base + member->offset);
    if (is_none || member->name == STATE_NO_NAME)
        return 0;
    return state_claims_add(&reader->claims, member->name, value, &reader->place) < 0
               ? out_of_memory(reader->error)
               : 0;
}

static int read_bool(struct reader *reader, const struct state_member *member, const json_t *json,
                     void *base)
{
    if (!json_is_boolean(json))
        return refuse(reader, "neither true nor false");
    *(bool *)((char *)base + member->offset) = json_is_true(json);
    return 0;
}

static int read_slot(struct reader *reader, const struct state_member *member, const json_t *json,
                     void *base)
{
    const char *name = json_string_value(json);

    if (name == NULL)
        return refuse(reader, "not a text");
    for (int state = 0; state < SLOT_STATES; state++) {
        if (slot_is_alive((enum slot_state)state) &&
            strcmp(name, slot_state_name((enum slot_state)state)) == 0) {
            *(enum slot_state *)(void *)((char *)base + member->offset) = (enum slot_state)state;
            return 0;
        }
    }
    return refuse(reader, "\"%.*s\" is no state of a living worker", QUOTED_MAX, name);
}

static int read_uuid(struct reader *reader, const struct state_member *member, const json_t *json,
                     void *base)
{
    const char *text = json_string_value(json);

    if (text == NULL)
        return refuse(reader, "not a text");
    if (uuid_parse(text, (unsigned char *)base + member->offset) < 0)
        return refuse(reader, "\"%.*s\" is no UUID", QUOTED_MAX, text);
    return 0;
}

/*
 * Undo encode_text(); bytes has room for as many as utf8 has. Returns how many
 * came out, or -1 for a character that stands for no byte.
 */
static int64_t decode_text(const char *utf8, char *bytes)
{
    char *to = bytes;

    for (const unsigned char *from = (const unsigned char *)utf8; *from != '\0'; from++) {
        unsigned char byte = *from;
        if (byte > 0xc3)
            return -1;
        if (byte >= 0x80) /* 0xc2 or 0xc3, for jansson gives valid UTF-8 */
            byte = (unsigned char)(byte << 6 | (*++from & 0x3f));
        *to++ = (char)byte;
    }
    *to = '\0';
    return to - bytes;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* Returns 0 and sets *ret_text, allocated, when it is one that the member may have. */
static int check_text(struct reader *reader, const struct state_member *member, const json_t *json,
                      char **ret_text)
{
    char *text;
    int64_t len;
    int r = 0;

    if (!json_is_string(json))
        return refuse(reader, "not a text");
    text = malloc(json_string_length(json) + 1);
    if (text == NULL)
        return out_of_memory(reader->error);
    len = decode_text(json_string_value(json), text);
    if (len < 0)
        r = refuse(reader, "has a character beyond U+00FF, which is no byte");
    else if (len < member->min || len > member->max)
        r = refuse(reader, "%" PRId64 " bytes, not from %" PRId64 " to %" PRId64, len, member->min,
                   member->max);
    else if (member->printable && has_control(text))
        r = refuse(reader, "has a control character");
    if (r < 0)
        free(text);
    else
        *ret_text = text;
    return r;
}

static int read_text(struct reader *reader, const struct state_member *member, const json_t *json,
                     void *base)
{
    char *text = NULL;
    int r = check_text(reader, member, json, &text);

    if (text == NULL)
        return r;
    memcpy((char *)base + member->offset, text, strlen(text) + 1);
    free(text);
    return 0;
}

static int read_string(struct reader *reader, const struct state_member *member, const json_t *json,
                       void *base)
{
    if (member->optional && json_is_null(json))
        return 0;
    return check_text(reader, member, json, (char **)(void *)((char *)base + member->offset));
}

/* --- Objects and lists --------------------------------------------------------- */

static int read_members(struct reader *reader, const struct state_member *members, json_t *object,
                        void *base);

/* What has been read is in *base also when it fails, for state_clear(). */
static int read_list(struct reader *reader, const struct state_member *member, const json_t *json,
                     void *base)
{
    size_t n = json_array_size(json);
    char *elements;

    if (!json_is_array(json))
        return refuse(reader, "not a list");
    if (n < (size_t)member->min || n > (size_t)member->max)
        return refuse(reader, "%zu elements, not from %" PRId64 " to %" PRId64, n, member->min,
                      member->max);
    if (n == 0)
        return 0;
    elements = calloc(n, member->element_size);
    if (elements == NULL)
        return out_of_memory(reader->error);
    memcpy((char *)base + member->offset, &elements, sizeof elements);
    *(size_t *)(void *)((char *)base + member->count_offset) = n;
    for (size_t i = 0; i < n; i++) {
        reader->place = (struct state_place){.list = member->key, .index = i};
        int r = read_members(reader, member->element_members, json_array_get(json, i),
                             elements + i * member->element_size);
        if (r < 0)
            return r;
    }
    reader->place = (struct state_place){0};
    return 0;
}

static int read_value(struct reader *reader, const struct state_member *member, const json_t *json,
                      void *base)
{
    static int (*const readers[STATE_KINDS])(struct reader *, const struct state_member *,
                                             const json_t *, void *) = {
        [STATE_INT] = read_number,    [STATE_UINT32] = read_number, [STATE_INT64] = read_number,
        [STATE_UINT64] = read_number, [STATE_BOOL] = read_bool,     [STATE_SLOT] = read_slot,
        [STATE_UUID] = read_uuid,     [STATE_TEXT] = read_text,     [STATE_STRING] = read_string,
        [STATE_LIST] = read_list};

    return readers[member->kind](reader, member, json, base);
}

static bool is_known(const struct reader *reader, const struct state_member *members,
                     const char *key)
{
    while (members->key != NULL && strcmp(members->key, key) != 0)
        members++;
    return members->key != NULL && members->since <= reader->version;
}

static int read_members(struct reader *reader, const struct state_member *members, json_t *object,
                        void *base)
{
    const char *key;
    json_t *value;

    reader->place.key = NULL;
    if (!json_is_object(object))
        return refuse(reader, "not an object");
    json_object_foreach(object, key, value)
    {
        reader->place.key = key;
        if (!is_known(reader, members, key))
            return refuse(reader, "unknown");
    }
    for (; members->key != NULL; members++) {
        if (members->since > reader->version) {
            if (members->optional && members->kind == STATE_INT)
                store(members, -1, (char *)base + members->offset);
            continue;
        }
        reader->place.key = members->key;
        value = json_object_get(object, members->key);
        int r =
            value != NULL ? read_value(reader, members, value, base) : refuse(reader, "missing");
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- The whole ----------------------------------------------------------------- */

static int check_worker(struct reader *reader, const struct state *state,
                        const struct state_worker *worker)
{
    if (worker->place >= state->places) {
        reader->place.key = "place";
        return refuse(reader, "%" PRIu32 " is not below places, %" PRIu32, worker->place,
                      state->places);
    }
    if (worker->worker > state->last_worker) {
        reader->place.key = "worker";
        return refuse(reader, "%" PRIu64 " is beyond last_worker, %" PRIu64, worker->worker,
                      state->last_worker);
    }
    if (worker->leaving && worker->candidate) {
        reader->place.key = "candidate";
        return refuse(reader, "true, but the worker is leaving");
    }
    return 0;
}

static int check_claims(struct reader *reader)
{
    struct state_claim first, second;
    char place[STATE_PLACE_SIZE];

    if (!state_claims_collide(&reader->claims, &first, &second))
        return 0;
    state_place_format(&first.place, place);
    reader->place = second.place;
    return refuse(reader, "%" PRId64 " is %s already", second.value, place);
}

/* The sockets of one address follow each other, from 0 on. */
static int check_listener(struct reader *reader, const struct state *state, size_t i)
{
    const struct state_listener *listener = &state->listeners[i];
    const struct state_listener *before = i > 0 ? listener - 1 : NULL;

    if (listener->socket == 0 ||
        (before != NULL && before->socket + 1 == listener->socket &&
         before->purpose == listener->purpose && strcmp(before->title, listener->title) == 0))
        return 0;
    reader->place = (struct state_place){.list = "listeners", .index = i, .key = "socket"};
    return refuse(reader, "%" PRIu32 ", but socket %" PRIu32 " of that title is not right before",
                  listener->socket, listener->socket - 1);
}

/* What no member can tell alone. */
static int check_state(struct reader *reader, const struct state *state)
{
    reader->place = (struct state_place){.key = "pidfile"};
    if ((state->pidfile == NULL) != (state->pidfile_fd == -1))
        return refuse(reader,
                      state->pidfile == NULL ? "null, but pidfile_fd is %d"
                                             : "a path, but pidfile_fd is %d",
                      state->pidfile_fd);
    reader->place = (struct state_place){.key = "places"};
    if (state->places > state->scoreboard_places)
        return refuse(reader, "%" PRIu32 " is more than scoreboard_places, %" PRIu32, state->places,
                      state->scoreboard_places);
    for (size_t i = 0; i < state->n_listeners; i++)
        if (check_listener(reader, state, i) < 0)
            return -EBADMSG;
    for (size_t i = 0; i < state->n_workers; i++) {
        reader->place = (struct state_place){.list = "workers", .index = i};
        int r = check_worker(reader, state, &state->workers[i]);
        if (r < 0)
            return r;
    }
    return check_claims(reader);
}

/* Take a member that must be in this range, or else nothing of the text can be understood. */
static int take_number(json_t *root, const char *key, uint32_t min, uint32_t max,
                       uint32_t *ret_value, char error[STATE_ERROR_SIZE])
{
    const json_t *json = json_object_get(root, key);
    int64_t value = json_integer_value(json);

    if (!json_is_integer(json)) {
        (void)snprintf(error, STATE_ERROR_SIZE, "%s: %s", key,
                       json == NULL ? "missing" : "not a whole number");
        return -EBADMSG;
    }
    if (value < min || value > max) {
        int len =
            snprintf(error, STATE_ERROR_SIZE,
                     "state %s %" PRId64 ", this program understands %" PRIu32, key, value, min);
        if (max > min)
            (void)snprintf(error + len, STATE_ERROR_SIZE - (size_t)len, " to %" PRIu32, max);
        return -EPROTO;
    }
    *ret_value = (uint32_t)value;
    return json_object_del(root, key);
}

/* jansson says nothing at all when it fails to allocate. */
static int load(const char *text, size_t len, json_t **ret_root, char error[STATE_ERROR_SIZE])
{
    json_error_t why;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);

    if (root == NULL && why.text[0] == '\0')
        return out_of_memory(error);
    if (root == NULL)
        (void)snprintf(error, STATE_ERROR_SIZE, "line %d, column %d: %s", why.line, why.column,
                       why.text);
    else if (!json_is_object(root))
        (void)snprintf(error, STATE_ERROR_SIZE, "not an object");
    else {
        *ret_root = root;
        return 0;
    }
    json_decref(root);
    return -EBADMSG;
}

int state_decode(const char *text, size_t len, uint32_t layouts, struct state *ret_state,
                 char error[STATE_ERROR_SIZE])
{
    struct reader reader = {.error = error};
    struct state state = {0};
    json_t *root = NULL;
    int r = load(text, len, &root, error);

    if (r == 0)
        r = take_number(root, "version", STATE_VERSION_OLDEST, STATE_VERSION, &reader.version,
                        error);
    if (r == 0)
        r = take_number(root, "layouts", layouts, layouts, &layouts, error);
    if (r == 0)
        r = read_members(&reader, state_members, root, &state);
    if (r == 0)
        r = check_state(&reader, &state);
    if (r == 0)
        *ret_state = state;
    else
        state_clear(&state);
    free(reader.claims.claims);
    json_decref(root);
    return r;
}
