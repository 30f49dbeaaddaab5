#include "config.h"

#include "cluster/state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uuid/uuid.h>

#include "cluster/purpose.h"
#include "cluster/role.h"
#include "cluster/state_member.h"
#include "conf/conf.h"

#define WORKERS_MAX    8192
#define LISTENERS_MAX  16384
#define DESCRIPTOR_MAX 1048576 /* the kernel's fs.nr_open, unless somebody raised it */
#define PID_MAX        4194304 /* PID_MAX_LIMIT of the kernel */
#define TITLE_MAX      256

#define FIELD(type, member, c_kind) \
    .key = #member, .kind = (c_kind), .offset = offsetof(type, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define TIME             RANGE(0, INT64_MAX)
#define ANY              RANGE(INT64_MIN, INT64_MAX)
#define DESCRIPTOR       .name = STATE_DESCRIPTOR, RANGE(3, DESCRIPTOR_MAX)
#define TEXT(size)       RANGE(0, (size)-1)
#define LIST(type, members, element, rows)                                         \
    FIELD(type, members, STATE_LIST), .count_offset = offsetof(type, n_##members), \
                                      .element_size = sizeof(element), .element_members = (rows)
#define END         \
    {               \
        .key = NULL \
    }

static const struct state_member listener_members[] = {
    {FIELD(struct state_listener, title, STATE_STRING), RANGE(1, TITLE_MAX), .printable = true},
    {FIELD(struct state_listener, fd, STATE_INT), DESCRIPTOR},
    {FIELD(struct state_listener, device, STATE_UINT64), ANY},
    {FIELD(struct state_listener, inode, STATE_UINT64), ANY},
    {FIELD(struct state_listener, socket, STATE_UINT32), RANGE(0, CONF_WORKERS_MAX - 1),
     .since = 2},
    {FIELD(struct state_listener, purpose, STATE_UINT32), RANGE(0, PURPOSES - 1), .since = 3},
    END};

static const struct state_member worker_members[] = {
    {FIELD(struct state_worker, place, STATE_UINT32), RANGE(0, WORKERS_MAX - 1),
     .name = STATE_PLACE},
    {FIELD(struct state_worker, number, STATE_UINT32), RANGE(1, ROLE_NUMBERS)},
    {FIELD(struct state_worker, generation, STATE_UINT32), RANGE(1, UINT32_MAX)},
    {FIELD(struct state_worker, state, STATE_SLOT)},
    {FIELD(struct state_worker, worker, STATE_UINT64), RANGE(1, INT64_MAX), .name = STATE_WORKER},
    {FIELD(struct state_worker, pid, STATE_INT), RANGE(2, PID_MAX), .name = STATE_PID},
    {FIELD(struct state_worker, channel_fd, STATE_INT), DESCRIPTOR, .optional = true},
    {FIELD(struct state_worker, started_ms, STATE_INT64), TIME},
    {FIELD(struct state_worker, ready_ms, STATE_INT64), TIME},
    {FIELD(struct state_worker, deadline_ms, STATE_INT64), TIME},
    {FIELD(struct state_worker, doom_ms, STATE_INT64), TIME},
    {FIELD(struct state_worker, leaving, STATE_BOOL)},
    {FIELD(struct state_worker, candidate, STATE_BOOL)},
    {FIELD(struct state_worker, asked, STATE_BOOL)},
    {FIELD(struct state_worker, deliberate, STATE_BOOL)},
    {FIELD(struct state_worker, chaos, STATE_BOOL)},
    END};

static const struct state_member death_members[] = {
    {FIELD(struct death, when_ms, STATE_INT64), TIME},
    {FIELD(struct death, worker, STATE_UINT64), RANGE(1, INT64_MAX)},
    {FIELD(struct death, slot, STATE_UINT32), RANGE(1, ROLE_NUMBERS)},
    {FIELD(struct death, generation, STATE_UINT32), RANGE(1, UINT32_MAX)},
    {FIELD(struct death, pid, STATE_INT64), RANGE(2, PID_MAX)},
    {FIELD(struct death, uptime_ms, STATE_INT64), TIME},
    {FIELD(struct death, wait_status, STATE_INT64), RANGE(0, INT_MAX)},
    {FIELD(struct death, max_rss_kb, STATE_INT64), RANGE(0, INT64_MAX)},
    {FIELD(struct death, user_ms, STATE_INT64), TIME},
    {FIELD(struct death, system_ms, STATE_INT64), TIME},
    {FIELD(struct death, requests, STATE_UINT64), ANY},
    {FIELD(struct death, connections, STATE_UINT64), ANY},
    {FIELD(struct death, heartbeat_age_ms, STATE_INT64), TIME, .optional = true},
    {FIELD(struct death, elapsed_ms, STATE_INT64), TIME, .optional = true},
    {FIELD(struct death, method, STATE_TEXT), TEXT(SCOREBOARD_METHOD_SIZE)},
    {FIELD(struct death, path, STATE_TEXT), TEXT(SCOREBOARD_PATH_SIZE)},
    {FIELD(struct death, client, STATE_TEXT), TEXT(SCOREBOARD_CLIENT_SIZE)},
    {FIELD(struct death, killed_for, STATE_TEXT), TEXT(RECORDER_REASON_SIZE)},
    {FIELD(struct death, oom, STATE_BOOL)},
    {FIELD(struct death, deliberate, STATE_BOOL)},
    {FIELD(struct death, poison, STATE_BOOL)},
    END};

static const struct state_member event_members[] = {
    {FIELD(struct journal_entry, sequence, STATE_UINT64), RANGE(1, INT64_MAX)},
    {FIELD(struct journal_entry, wall_ms, STATE_INT64), TIME},
    {FIELD(struct journal_entry, kind, STATE_UINT32), RANGE(0, JOURNAL_KINDS - 1)},
    {FIELD(struct journal_entry, worker, STATE_UINT64), RANGE(0, INT64_MAX)},
    {FIELD(struct journal_entry, slot, STATE_UINT32), RANGE(0, ROLE_NUMBERS)},
    {FIELD(struct journal_entry, pid, STATE_INT64), RANGE(0, PID_MAX)},
    {FIELD(struct journal_entry, generation, STATE_UINT32), RANGE(0, UINT32_MAX)},
    {FIELD(struct journal_entry, text, STATE_TEXT), TEXT(JOURNAL_TEXT_SIZE)},
    END};

const struct state_member state_members[] = {
    {FIELD(struct state, uuid, STATE_UUID)},
    {FIELD(struct state, started_ms, STATE_INT64), TIME},
    {FIELD(struct state, generation, STATE_UINT32), RANGE(1, UINT32_MAX)},
    {FIELD(struct state, last_worker, STATE_UINT64), RANGE(0, INT64_MAX)},
    {FIELD(struct state, strangers, STATE_UINT64), RANGE(0, INT64_MAX)},
    {FIELD(struct state, upgrades, STATE_UINT32), RANGE(0, UINT32_MAX)},
    {FIELD(struct state, strength, STATE_UINT32), RANGE(0, CONF_WORKERS_MAX)},
    {FIELD(struct state, scoreboard_fd, STATE_INT), DESCRIPTOR},
    {FIELD(struct state, scoreboard_places, STATE_UINT32), RANGE(1, WORKERS_MAX)},
    {FIELD(struct state, places, STATE_UINT32), RANGE(0, WORKERS_MAX)},
    {FIELD(struct state, configuration_fd, STATE_INT), DESCRIPTOR, .optional = true},
    {FIELD(struct state, pidfile_fd, STATE_INT), DESCRIPTOR, .optional = true},
    {FIELD(struct state, pidfile, STATE_STRING), RANGE(1, PATH_MAX - 1), .optional = true},
    {LIST(struct state, listeners, struct state_listener, listener_members),
     RANGE(0, LISTENERS_MAX)},
    {LIST(struct state, workers, struct state_worker, worker_members), RANGE(0, WORKERS_MAX)},
    {LIST(struct state, deaths, struct death, death_members), RANGE(0, RECORDER_DEATHS)},
    {FIELD(struct state, log_ring_fd, STATE_INT), DESCRIPTOR, .optional = true, .since = 3},
    {LIST(struct state, events, struct journal_entry, event_members), RANGE(0, JOURNAL_ENTRIES),
     .since = 3},
    {FIELD(struct state, balancer_fd, STATE_INT), DESCRIPTOR, .optional = true, .since = 4},
    {FIELD(struct state, directory_fd, STATE_INT), DESCRIPTOR, .optional = true, .since = 5},
    END};

_Static_assert(sizeof(pid_t) == sizeof(int), "STATE_INT is also for pids");

/* The struct says which pointer it is; all of them look the same in memory. */
static void *list_elements(const void *base, const struct state_member *member)
{
    void *elements;

    memcpy(&elements, (const char *)base + member->offset, sizeof elements);
    return elements;
}

/* --- Write --------------------------------------------------------------------- */

static json_t *encode_members(json_t *object, const void *base, const struct state_member *members);

/*
 * A path as a client or an administrator wrote it need not be UTF-8, and may be
 * cut within a character. So a byte becomes the character of the same number,
 * and every byte comes back.
 */
static json_t *encode_text(const char *text)
{
    size_t len = 0;
    char *utf8 = malloc(2 * strlen(text) + 1);
    json_t *json;

    if (utf8 == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x80) {
            utf8[len++] = (char)(0xc0 | byte >> 6);
            byte = 0x80 | (byte & 0x3f);
        }
        utf8[len++] = (char)byte;
    }
    json = json_stringn(utf8, len);
    free(utf8);
    return json;
}

static json_t *encode_uuid(const uint8_t *uuid)
{
    char text[UUID_STR_LEN];

    uuid_unparse_lower(uuid, text);
    return json_string(text);
}

static json_t *encode_list(const void *base, const struct state_member *member)
{
    const char *elements = list_elements(base, member);
    size_t n = *(const size_t *)(const void *)((const char *)base + member->count_offset);
    json_t *list = json_array();

    for (size_t i = 0; i < n && list != NULL; i++) {
        const char *element = elements + i * member->element_size;
        json_t *object = encode_members(json_object(), element, member->element_members);
        if (json_array_append_new(list, object) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *encode_value(const void *base, const struct state_member *member)
{
    const void *at = (const char *)base + member->offset;

    switch (member->kind) {
    case STATE_INT:
        return json_integer(*(const int *)at);
    case STATE_UINT32:
        return json_integer(*(const uint32_t *)at);
    case STATE_INT64:
        return json_integer(*(const int64_t *)at);
    case STATE_UINT64:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case STATE_BOOL:
        return json_boolean(*(const bool *)at);
    case STATE_SLOT:
        return json_string(slot_state_name(*(const enum slot_state *)at));
    case STATE_UUID:
        return encode_uuid(at);
    case STATE_TEXT:
        return encode_text(at);
    case STATE_STRING:
        return *(char *const *)at != NULL ? encode_text(*(char *const *)at) : json_null();
    case STATE_LIST:
        return encode_list(base, member);
    case STATE_KINDS:
        break;
    }
    return NULL;
}

/* Add the members to the object. Returns it, or NULL when memory is short; the object is gone then.
 */
static json_t *encode_members(json_t *object, const void *base, const struct state_member *members)
{
    for (const struct state_member *m = members; m->key != NULL && object != NULL; m++) {
        if (json_object_set_new(object, m->key, encode_value(base, m)) < 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

int state_encode(const struct state *state, uint32_t layouts, char **ret_text)
{
    json_t *root = encode_members(
        json_pack("{s:i, s:I}", "version", STATE_VERSION, "layouts", (json_int_t)layouts), state,
        state_members);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(root);
    if (text == NULL)
        return -ENOMEM;
    *ret_text = text;
    return 0;
}

/* --- Free ---------------------------------------------------------------------- */

static void clear_list(void *base, const struct state_member *member);

static void clear_members(void *base, const struct state_member *members)
{
    for (const struct state_member *m = members; m->key != NULL; m++) {
        void *at = (char *)base + m->offset;

        if (m->kind == STATE_STRING) {
            free(*(char **)at);
            *(char **)at = NULL;
        } else if (m->kind == STATE_LIST) {
            clear_list(base, m);
        }
    }
}

static void clear_list(void *base, const struct state_member *member)
{
    char *elements = list_elements(base, member);
    size_t *n = (size_t *)(void *)((char *)base + member->count_offset);

    for (size_t i = 0; i < *n; i++)
        clear_members(elements + i * member->element_size, member->element_members);
    free(elements);
    memset((char *)base + member->offset, 0, sizeof(void *));
    *n = 0;
}

void state_clear(struct state *state)
{
    clear_members(state, state_members);
}
