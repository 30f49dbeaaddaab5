#include "config.h"

#include "discovery/registries/zookeeper_wire.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "discovery/driver.h"

/* Sizes in bytes. */
#define LENGTH 4
#define HEADER 16
#define STAT   68
#define RESULT 9 /* of a transaction: type, whether it is the last, error */

/* Numbers of answers that belong to no request. */
#define XID_EVENT     (-1)
#define XID_PING      (-2)
#define XID_AUTH      (-4)
#define XID_SET_WATCH (-8)

#define OP_CREATE 1
#define OP_DELETE 2
#define OP_ERROR  (-1)
#define OP_CLOSE  (-11)

/* The first answer, without and with a flag at its end. */
#define WELCOME_OLD  36
#define WELCOME      37
#define WELCOME_HEAD 20 /* up to the number of the session */

/* --- Paths ---------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* "" for "/" alone, and without a '/' at its end. */
static int trimmed(const char *path)
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] == '/')
        len--;
    return (int)len;
}

int zookeeper_path(const char *root, const char *prefix, const char *service, const char *name,
                   char buf[ZOOKEEPER_PATH_SIZE])
{
    int len;

    if (!is_name(service) || (name != NULL && !is_name(name)))
        return -EINVAL;
    len =
        snprintf(buf, ZOOKEEPER_PATH_SIZE, "%.*s%.*s/%s%s%s", trimmed(root), root, trimmed(prefix),
                 prefix, service, name != NULL ? "/" : "", name != NULL ? name : "");
    return len > 0 && len < ZOOKEEPER_PATH_SIZE ? 0 : -EINVAL;
}

size_t zookeeper_levels(const char *path)
{
    size_t n = 0;

    for (; *path != '\0'; path++)
        n += *path == '/';
    return n;
}

size_t zookeeper_level_len(const char *path, size_t level)
{
    size_t len = 0;

    for (; path[len] != '\0'; len++)
        if (path[len] == '/' && level-- == 0)
            break;
    return len;
}

/* --- Frames --------------------------------------------------------------------------------- */

static int32_t number_at(const unsigned char *bytes)
{
    return (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                     bytes[3]);
}

/* A frame, of which `have` bytes are there. */
struct frame {
    const unsigned char *bytes; /* behind its length */
    size_t len;
    size_t have;
    size_t need;
};

/* Whether it has a number at this offset, which is set; 0 as below, with `need` set. */
static int read_number(struct frame *frame, size_t offset, int32_t *ret_number)
{
    if (offset > frame->len || frame->len - offset < sizeof *ret_number)
        return -EBADMSG;
    if (frame->have < offset + sizeof *ret_number) {
        frame->need = offset + sizeof *ret_number;
        return 0;
    }
    *ret_number = number_at(frame->bytes + offset);
    return 1;
}

/* At this offset a text or bytes with their length, and behind them so many bytes at least. */
static int judge_text(struct frame *frame, size_t offset, int32_t min, size_t behind)
{
    int32_t len = 0;
    int r = read_number(frame, offset, &len);
    size_t room = frame->len - offset - sizeof len;

    if (r <= 0)
        return r;
    return len >= min && room >= behind && (len < 0 || (size_t)len <= room - behind) ? 1 : -EBADMSG;
}

static int judge_strings(struct frame *frame)
{
    int32_t n = 0;
    int r = read_number(frame, HEADER, &n);

    if (r <= 0)
        return r;
    return n >= 0 && (size_t)n <= (frame->len - HEADER - sizeof n) / sizeof n ? 1 : -EBADMSG;
}

/* Type and error of the transaction's result at this offset, `is_last` with it. */
static int judge_result(struct frame *frame, size_t offset, int32_t type, bool is_last)
{
    int32_t found = 0;
    int r = read_number(frame, offset + RESULT - sizeof found, &found);

    if (r <= 0)
        return r;
    return number_at(frame->bytes + offset) == type &&
                   (frame->bytes[offset + sizeof found] != 0) == is_last
               ? 1
               : -EBADMSG;
}

/* Neither was done: in place of each result there is an error. */
static int judge_failure(struct frame *frame)
{
    size_t offset = HEADER;
    int r = 1;

    for (int i = 0; i < 2 && r == 1; i++) {
        r = judge_result(frame, offset, OP_ERROR, false);
        offset += RESULT + sizeof(int32_t);
    }
    return r == 1 ? judge_result(frame, offset, OP_ERROR, true) : r;
}

static int judge_replaced(struct frame *frame)
{
    size_t offset = HEADER;
    int32_t number = 0;
    int r = read_number(frame, offset, &number);

    if (r <= 0 || number == OP_ERROR)
        return r <= 0 ? r : judge_failure(frame);
    r = judge_result(frame, offset, OP_DELETE, false);
    offset += RESULT;
    if (r == 1)
        r = judge_result(frame, offset, OP_CREATE, false);
    offset += RESULT;
    if (r == 1)
        r = judge_text(frame, offset, 0, RESULT);
    if (r == 1)
        r = read_number(frame, offset, &number);
    return r == 1 ? judge_result(frame, offset + sizeof number + (size_t)number, OP_ERROR, true)
                  : r;
}

static int judge_answer(struct frame *frame, enum zookeeper_answer answer)
{
    switch (answer) {
    case ZOOKEEPER_VOID:
        return 1;
    case ZOOKEEPER_STAT:
        return frame->len >= HEADER + STAT ? 1 : -EBADMSG;
    case ZOOKEEPER_STRING:
        return judge_text(frame, HEADER, 0, 0);
    case ZOOKEEPER_DATA:
        return judge_text(frame, HEADER, -1, STAT);
    case ZOOKEEPER_STRINGS:
        return judge_strings(frame);
    case ZOOKEEPER_REPLACED:
        return judge_replaced(frame);
    default:
        return -EBADMSG;
    }
}

static int judge_frame(struct frame *frame, enum zookeeper_answer answer, bool is_login)
{
    int32_t xid = 0, error = 0;
    int r = read_number(frame, HEADER - sizeof error, &error);

    if (r <= 0)
        return r;
    xid = number_at(frame->bytes);
    switch (xid) {
    case XID_PING:
    case XID_SET_WATCH:
        return 1;
    case XID_AUTH:
        return is_login ? 1 : -EBADMSG;
    case XID_EVENT: /* type, state, path */
        return judge_text(frame, HEADER + 2 * sizeof xid, 0, 0);
    default:
        if (xid < 0 || answer == ZOOKEEPER_NOTHING)
            return -EBADMSG;
        return error != 0 ? 1 : judge_answer(frame, answer);
    }
}

int zookeeper_judge(const unsigned char *bytes, size_t len, enum zookeeper_answer answer,
                    bool is_login, size_t *ret_need)
{
    struct frame frame;
    int32_t length;
    int r;

    *ret_need = LENGTH;
    if (len < LENGTH)
        return 0;
    length = number_at(bytes);
    if (length < HEADER)
        return -EBADMSG;
    if (length > DRIVER_ANSWER_MAX)
        return -EMSGSIZE;
    frame = (struct frame){.bytes = bytes + LENGTH, .len = (size_t)length, .have = len - LENGTH};
    r = judge_frame(&frame, answer, is_login);
    *ret_need = LENGTH + frame.need;
    return r == 0 && *ret_need > ZOOKEEPER_HEAD_SIZE ? -EBADMSG : r;
}

int zookeeper_judge_welcome(const unsigned char *bytes, size_t len, bool was_open, size_t *ret_need)
{
    static const unsigned char none[sizeof(int64_t)];
    int32_t length, timeout_ms;

    *ret_need = WELCOME_HEAD;
    if (len < WELCOME_HEAD)
        return 0;
    length = number_at(bytes);
    timeout_ms = number_at(bytes + 2 * sizeof length);
    if (length != WELCOME && length != WELCOME_OLD)
        return -EBADMSG;
    if (memcmp(bytes + 3 * sizeof length, none, sizeof none) == 0)
        return was_open ? 1 : -EBADMSG;
    return timeout_ms > 0 ? 1 : -EBADMSG;
}

void zookeeper_say_bye(unsigned char buf[ZOOKEEPER_BYE_SIZE])
{
    static const unsigned char bye[ZOOKEEPER_BYE_SIZE] = {
        0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, (unsigned char)OP_CLOSE};

    memcpy(buf, bye, sizeof bye);
}
