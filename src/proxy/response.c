#include "config.h"

#include "proxy/response.h"

#include <errno.h>
#include <string.h>

#include "http/octets.h"

typedef int read_value(struct response *response, struct slice value);

enum { STATUS_AT = 9, REASON_AT = 13 }; /* offsets in "HTTP/1.1 200 OK" */

static int refuse(struct response *response, int outcome, const char *why)
{
    response->why = why;
    return outcome;
}

/* RFC 9112 section 4. The space behind the status is left out by some when no reason follows. */
static int read_status_line(struct response *response, struct slice line)
{
    const char *at = line.at;

    if (line.len < STATUS_AT || memcmp(at, "HTTP/", 5) != 0 || !octets_is(at[5], OCTET_DIGIT) ||
        at[6] != '.' || !octets_is(at[7], OCTET_DIGIT) || at[8] != ' ')
        return refuse(response, -EPROTO, "it does not begin with an HTTP version and a space");
    if (at[5] != '1')
        return refuse(response, -EPROTO, "the major version is not 1");
    if (line.len < STATUS_AT + 3 || octets_span(at + STATUS_AT, 3, OCTET_DIGIT) != 3 ||
        (line.len > STATUS_AT + 3 && at[STATUS_AT + 3] != ' '))
        return refuse(response, -EPROTO, "the status is not a number of three digits");
    if (at[STATUS_AT] < '1' || at[STATUS_AT] > '5')
        return refuse(response, -EPROTO, "the status is not from 100 to 599");
    response->minor = at[7] != '0';
    response->status =
        (at[STATUS_AT] - '0') * 100 + (at[STATUS_AT + 1] - '0') * 10 + (at[STATUS_AT + 2] - '0');
    if (line.len > REASON_AT) {
        response->reason_span.at = REASON_AT;
        response->reason_span.len = line.len - REASON_AT;
    }
    return 0;
}

static int read_connection(struct response *response, struct slice value)
{
    struct slice option;

    while (octets_next_element(&value, &option)) {
        if (octets_span(option.at, option.len, OCTET_TOKEN) != option.len)
            return refuse(response, -EPROTO, "Connection is no list of tokens");
        if (OCTETS_ARE(option, "close"))
            response->has_close = true;
        else if (OCTETS_ARE(option, "keep-alive"))
            response->has_keep_alive = true;
        else if (OCTETS_ARE(option, "upgrade"))
            response->names_upgrade = true;
    }
    return 0;
}

static int read_upgrade(struct response *response, struct slice value)
{
    response->has_upgrade = response->has_upgrade || value.len > 0;
    return 0;
}

static int read_content_length(struct response *response, struct slice value)
{
    uint64_t length = 0;

    if (response->is_chunked)
        return refuse(response, -EPROTO, "there are Content-Length and Transfer-Encoding");
    switch (octets_number(value, &length)) {
    case 0:
        break;
    case -ERANGE:
        return refuse(response, -EPROTO, "Content-Length is too large");
    default:
        return refuse(response, -EPROTO, "Content-Length is not a number");
    }
    if (response->has_length && length != response->content_length)
        return refuse(response, -EPROTO, "there are two values of Content-Length");
    response->has_length = true;
    response->content_length = length;
    return 0;
}

static int read_transfer_encoding(struct response *response, struct slice value)
{
    if (response->minor == 0)
        return refuse(response, -EPROTO, "HTTP/1.0 has no Transfer-Encoding");
    if (response->has_length)
        return refuse(response, -EPROTO, "there are Content-Length and Transfer-Encoding");
    if (response->is_chunked)
        return refuse(response, -EPROTO, "Transfer-Encoding is repeated");
    if (!OCTETS_ARE(value, "chunked"))
        return refuse(response, -EPROTO, "Transfer-Encoding is not chunked alone");
    response->is_chunked = true;
    return 0;
}

/* The fields that are judged here, by the length of their names: no two are of one. */
static const struct {
    const char *name;
    read_value *read;
} known[] = {
    [7] = {"upgrade", read_upgrade},
    [10] = {"connection", read_connection},
    [14] = {"content-length", read_content_length},
    [17] = {"transfer-encoding", read_transfer_encoding},
};

static int read_field(struct response *response, struct slice line)
{
    struct slice name = {.at = line.at, .len = octets_span(line.at, line.len, OCTET_TOKEN)};
    struct slice value = {.at = line.at + name.len + 1, .len = line.len - name.len - 1};

    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
        return refuse(response, -EPROTO, lines_fault(line, name.len));
    if (name.len >= sizeof(known) / sizeof(known[0]) || !known[name.len].name ||
        !octets_match(name, known[name.len].name, name.len))
        return 0;
    return known[name.len].read(response, octets_trim(value));
}

static int check_upgrade(struct response *response)
{
    if (response->status != 101)
        return 0;
    if (!response->asks_upgrade)
        return refuse(response, -EPROTO, "there is a 101 that was not asked for");
    if (response->minor == 0)
        return refuse(response, -EPROTO, "HTTP/1.0 has no 101");
    if (!response->has_upgrade || !response->names_upgrade)
        return refuse(response, -EPROTO, "there is a 101 without Upgrade and Connection: upgrade");
    response->is_upgrade = true;
    return 0;
}

/*
 * These have neither a body nor fields about one (RFC 9110 section 8.6, RFC 9112
 * section 6.1). A server that announces one may send it all the same, and then
 * what it sends must not be taken for the next answer.
 */
static void judge_bodiless(struct response *response)
{
    response->is_contradicting = response->is_chunked || response->content_length > 0;
    response->has_length = false;
    response->content_length = 0;
}

static enum response_framing framing_of(const struct response *response)
{
    if (response->to_head || response->status < 200 || response->status == 204 ||
        response->status == 304)
        return RESPONSE_NO_BODY;
    if (response->is_chunked)
        return RESPONSE_CHUNKED;
    if (!response->has_length)
        return RESPONSE_UNTIL_CLOSE;
    return response->content_length > 0 ? RESPONSE_LENGTH : RESPONSE_NO_BODY;
}

static int finish(struct response *response)
{
    int outcome = check_upgrade(response);

    if (outcome != 0)
        return outcome;
    if (response->status < 200 || response->status == 204)
        judge_bodiless(response);
    response->framing = framing_of(response);
    response->keep_alive = !response->has_close &&
                           (response->minor > 0 || response->has_keep_alive) &&
                           response->framing != RESPONSE_UNTIL_CLOSE &&
                           !response->is_contradicting && !response->is_upgrade;
    response->len = response->lines.at;
    return RESPONSE_DONE;
}

/* Judge a line; returns RESPONSE_MORE when others are to follow. */
static int read_line(struct response *response, const struct response_limits *limits,
                     struct slice line)
{
    if (response->fields == 0) {
        response->fields = response->lines.at;
        return read_status_line(response, line);
    }
    if (line.len == 0)
        return finish(response);
    if (response->n_fields == limits->fields)
        return refuse(response, -EMSGSIZE, "there are too many header lines");
    response->n_fields++;
    return read_field(response, line);
}

void response_init(struct response *response, bool to_head, bool asks_upgrade)
{
    *response = (struct response){.to_head = to_head, .asks_upgrade = asks_upgrade};
}

/* Only what the limit leaves is looked at, so that it does not matter how much came at once. */
static int read_lines(struct response *response, const struct response_limits *limits,
                      const char *bytes, size_t len)
{
    size_t window = len < limits->bytes ? len : limits->bytes;
    struct slice line = {0};
    int outcome;

    do {
        outcome = lines_next(&response->lines, bytes, window, &line, &response->why);
        if (outcome == LINES_MORE && len > window)
            return refuse(response, -EMSGSIZE, "the head is too long");
        if (outcome == LINES_MORE)
            return RESPONSE_MORE;
        outcome = outcome == LINES_READY ? read_line(response, limits, line) : -EPROTO;
    } while (outcome == RESPONSE_MORE);
    return outcome;
}

int response_feed(struct response *response, const struct response_limits *limits,
                  const char *bytes, size_t len)
{
    if (response->outcome == RESPONSE_MORE)
        response->outcome = read_lines(response, limits, bytes, len);
    if (response->outcome == RESPONSE_DONE && response->reason_span.len > 0) {
        response->reason.at = bytes + response->reason_span.at;
        response->reason.len = response->reason_span.len;
    }
    return response->outcome;
}

bool response_next_field(const struct response *response, const char *bytes, size_t *cursor,
                         struct slice *ret_name, struct slice *ret_value)
{
    return lines_next_field(bytes, response->fields, response->len, cursor, ret_name, ret_value);
}
