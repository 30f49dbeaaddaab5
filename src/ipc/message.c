#include "config.h"

#include "ipc/message.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

/*
 * The header: two bytes of magic, version, type, and the length of what
 * follows. Numbers are in network byte order.
 */
#define HEADER_SIZE 8
static const uint8_t magic[2] = {'Z', 'S'};

enum field_kind { END, U8, U32, U64, UUID, TEXT };

struct field {
    enum field_kind kind;
    size_t offset; /* in struct message */
    uint64_t max;  /* of a U8; the wider ones take every value */
};

/* The payload of each type, field by field, in the order of the bytes. */
#define FIELD(kind, member)                                \
    {                                                      \
        kind, offsetof(struct message, member), UINT64_MAX \
    }
#define FIELD_UP_TO(member, largest)                  \
    {                                                 \
        U8, offsetof(struct message, member), largest \
    }

static const struct layout {
    const char *name;
    enum message_sender sender;
    struct field fields[5];
} layouts[] = {
    [MESSAGE_HELLO] = {"HELLO",
                       MESSAGE_FROM_WORKER,
                       {FIELD(U64, hello.worker), FIELD(U32, hello.pid), FIELD(U32, hello.slot)}},
    [MESSAGE_READY] = {"READY", MESSAGE_FROM_WORKER, {FIELD(U32, ready.listeners)}},
    [MESSAGE_MASTER_ID] = {"MASTER_ID", MESSAGE_FROM_WORKER, {FIELD(U32, master_id.request)}},
    [MESSAGE_MASTER_ID_IS] = {"MASTER_ID_IS",
                              MESSAGE_FROM_MASTER,
                              {FIELD(U32, master_id_is.request), FIELD(UUID, master_id_is.uuid)}},
    [MESSAGE_DRAIN] = {"DRAIN",
                       MESSAGE_FROM_MASTER,
                       {FIELD(U32, drain.delay_ms), FIELD(U32, drain.idle_ms),
                        FIELD_UP_TO(drain.last, 1), FIELD_UP_TO(drain.stopping, 1)}},
    [MESSAGE_STOP] = {"STOP", MESSAGE_FROM_MASTER, {{END, 0, 0}}},
    [MESSAGE_LEAVING] = {"LEAVING",
                         MESSAGE_FROM_WORKER,
                         {FIELD_UP_TO(leaving.reason, LEAVING_REASONS - 1)}},
    [MESSAGE_CHAOS] = {"CHAOS",
                       MESSAGE_FROM_WORKER,
                       {FIELD_UP_TO(chaos.mode, CHAOS_MODES - 1), FIELD(U32, chaos.after_ms),
                        FIELD(TEXT, chaos.client)}},
    [MESSAGE_LOG] = {"LOG", MESSAGE_FROM_MASTER, {{END, 0, 0}}},
    [MESSAGE_ACCESS_LOG] = {"ACCESS_LOG", MESSAGE_FROM_MASTER, {{END, 0, 0}}},
    [MESSAGE_LOG_LEVEL] = {"LOG_LEVEL",
                           MESSAGE_FROM_MASTER,
                           {FIELD_UP_TO(log_level.level, LOG_LEVEL_DEBUG)}},
};

static const struct layout *layout_of(unsigned type)
{
    if (type >= sizeof layouts / sizeof layouts[0] || layouts[type].name == NULL)
        return NULL;
    return &layouts[type];
}

static size_t put_number(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    return size;
}

static uint64_t get_number(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* A text travels as a length byte and its bytes, without the NUL. */
static size_t put_text(uint8_t *at, const char *text)
{
    size_t len = strnlen(text, MESSAGE_TEXT_SIZE - 1);
    at[0] = (uint8_t)len;
    memcpy(at + 1, text, len);
    return 1 + len;
}

static size_t put_field(uint8_t *at, const struct field *field, const void *value)
{
    uint32_t u32;
    uint64_t u64;
    switch (field->kind) {
    case U8:
        *at = *(const uint8_t *)value;
        return 1;
    case U32:
        memcpy(&u32, value, sizeof u32);
        return put_number(at, u32, sizeof u32);
    case U64:
        memcpy(&u64, value, sizeof u64);
        return put_number(at, u64, sizeof u64);
    case UUID:
        memcpy(at, value, MESSAGE_UUID_SIZE);
        return MESSAGE_UUID_SIZE;
    case TEXT:
        return put_text(at, value);
    case END:
        break;
    }
    return 0;
}

size_t message_encode(const struct message *message, uint8_t buf[MESSAGE_SIZE])
{
    const struct layout *layout = layout_of(message->type);
    assert(layout != NULL);
    size_t len = HEADER_SIZE;
    for (const struct field *field = layout->fields; field->kind != END; field++)
        len += put_field(buf + len, field, (const char *)message + field->offset);
    memcpy(buf, magic, sizeof magic);
    buf[2] = MESSAGE_VERSION;
    buf[3] = (uint8_t)message->type;
    put_number(buf + 4, len - HEADER_SIZE, 4);
    return len;
}

/* How many bytes the field takes at `at`, of which `left` are there; 0: it does not fit. */
static size_t field_size(const struct field *field, const uint8_t *at, size_t left)
{
    static const size_t sizes[] = {[U8] = 1, [U32] = 4, [U64] = 8, [UUID] = MESSAGE_UUID_SIZE};
    size_t size;
    if (field->kind != TEXT)
        size = sizes[field->kind];
    else if (left == 0 || at[0] >= MESSAGE_TEXT_SIZE)
        return 0;
    else
        size = 1 + (size_t)at[0];
    return size <= left ? size : 0;
}

static int get_text(const uint8_t *at, char *text)
{
    size_t len = at[0];
    if (memchr(at + 1, '\0', len) != NULL)
        return -EBADMSG;
    memcpy(text, at + 1, len);
    text[len] = '\0';
    return 0;
}

/* Read a field of which all bytes are there. */
static int get_field(const uint8_t *at, const struct field *field, void *ret_value)
{
    uint32_t u32;
    uint64_t u64;
    switch (field->kind) {
    case U8:
        if (*at > field->max)
            return -EBADMSG;
        *(uint8_t *)ret_value = *at;
        break;
    case U32:
        u32 = (uint32_t)get_number(at, sizeof u32);
        memcpy(ret_value, &u32, sizeof u32);
        break;
    case U64:
        u64 = get_number(at, sizeof u64);
        memcpy(ret_value, &u64, sizeof u64);
        break;
    case UUID:
        memcpy(ret_value, at, MESSAGE_UUID_SIZE);
        break;
    case TEXT:
        return get_text(at, ret_value);
    case END:
        break;
    }
    return 0;
}

static int get_payload(const struct layout *layout, const uint8_t *at, size_t left,
                       struct message *message)
{
    for (const struct field *field = layout->fields; field->kind != END; field++) {
        size_t size = field_size(field, at, left);
        if (size == 0 || get_field(at, field, (char *)message + field->offset) != 0)
            return -EBADMSG;
        at += size;
        left -= size;
    }
    return left == 0 ? 0 : -EBADMSG;
}

int message_decode(const uint8_t *bytes, size_t len, enum message_sender sender,
                   struct message *ret_message)
{
    if (len < HEADER_SIZE || len > MESSAGE_SIZE || memcmp(bytes, magic, sizeof magic) != 0 ||
        bytes[2] != MESSAGE_VERSION || get_number(bytes + 4, 4) != len - HEADER_SIZE)
        return -EBADMSG;
    const struct layout *layout = layout_of(bytes[3]);
    if (layout == NULL || layout->sender != sender)
        return -EBADMSG;
    struct message message = {.type = bytes[3]};
    if (message_has_descriptor(message.type))
        message.log.fd = -1;
    int err = get_payload(layout, bytes + HEADER_SIZE, len - HEADER_SIZE, &message);
    if (err == 0)
        *ret_message = message;
    return err;
}

bool message_has_descriptor(enum message_type type)
{
    return type == MESSAGE_LOG || type == MESSAGE_ACCESS_LOG;
}

const char *message_name(enum message_type type)
{
    const struct layout *layout = layout_of(type);
    return layout != NULL ? layout->name : "?";
}

const char *chaos_mode_name(enum chaos_mode mode)
{
    static const char *const names[] = {"exit", "kill", "segv", "abort", "hang"};
    return names[mode];
}
