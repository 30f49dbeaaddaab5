#include "config.h"

#include "http/head_field.h"

#include <errno.h>
#include <stddef.h>

#include "http/authority.h"
#include "http/lines.h"
#include "http/octets.h"

typedef int read_value(struct head *head, const char *bytes, struct slice value);

static int read_host(struct head *head, const char *bytes, struct slice value)
{
    struct authority parsed;

    if (head->has_host)
        return head_refuse(head, 400, "Host is repeated");
    if (!authority_parse(value, &parsed))
        return head_refuse(head, 400, value.len > 0 ? "Host is malformed" : "Host is empty");
    head->has_host = true;
    head->host_span.at = (size_t)(value.at - bytes);
    head->host_span.len = value.len;
    return 0;
}

/* For HTTP/1.0 the field means nothing (RFC 9110 section 10.1.1). */
static int read_expect(struct head *head, const char *bytes, struct slice value)
{
    (void)bytes;
    if (head->minor == 0)
        return 0;
    if (!OCTETS_ARE(value, "100-continue"))
        return head_refuse(head, 417, "Expect is not 100-continue");
    head->expects_continue = true;
    return 0;
}

static int read_connection(struct head *head, const char *bytes, struct slice value)
{
    struct slice option;

    (void)bytes;
    while (octets_next_element(&value, &option)) {
        if (octets_span(option.at, option.len, OCTET_TOKEN) != option.len)
            return head_refuse(head, 400, "Connection is no list of tokens");
        if (OCTETS_ARE(option, "close"))
            head->has_close = true;
        else if (OCTETS_ARE(option, "keep-alive"))
            head->has_keep_alive = true;
    }
    return 0;
}

static int parse_length(struct head *head, struct slice value)
{
    switch (octets_number(value, &head->content_length)) {
    case 0:
        return 0;
    case -ERANGE:
        return head_refuse(head, 413, "Content-Length is too large");
    default:
        return head_refuse(head, 400, "Content-Length is not a number");
    }
}

static int read_content_length(struct head *head, const char *bytes, struct slice value)
{
    (void)bytes;
    if (head->has_length)
        return head_refuse(head, 400, "Content-Length is repeated");
    if (head->framing == HEAD_CHUNKED)
        return head_refuse(head, 400, "there are Content-Length and Transfer-Encoding");
    head->has_length = true;
    return parse_length(head, value);
}

/*
 * Which coding a list asks for beyond a single "chunked" decides between the
 * client's mistake and our lack (RFC 9112 sections 6.1 and 6.3).
 */
static int refuse_codings(struct head *head, struct slice codings)
{
    struct slice coding;
    bool is_chunked = false;
    size_t n = 0;

    while (octets_next_element(&codings, &coding)) {
        if (coding.len == 0 || octets_span(coding.at, coding.len, OCTET_TOKEN) != coding.len)
            return head_refuse(head, 400, "Transfer-Encoding is malformed");
        if (is_chunked)
            return head_refuse(head, 400, "chunked is not the last transfer coding");
        is_chunked = OCTETS_ARE(coding, "chunked");
        n++;
    }
    if (n == 0)
        return head_refuse(head, 400, "Transfer-Encoding is empty");
    if (n == 1 && is_chunked)
        return head_refuse(head, 400, "Transfer-Encoding is malformed");
    return head_refuse(head, 501, "the transfer coding is not chunked alone");
}

static int read_transfer_encoding(struct head *head, const char *bytes, struct slice value)
{
    (void)bytes;
    if (head->minor == 0)
        return head_refuse(head, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (head->has_length)
        return head_refuse(head, 400, "there are Content-Length and Transfer-Encoding");
    if (head->framing == HEAD_CHUNKED)
        return head_refuse(head, 400, "Transfer-Encoding is repeated");
    if (!OCTETS_ARE(value, "chunked"))
        return refuse_codings(head, value);
    head->framing = HEAD_CHUNKED;
    return 0;
}

static int read_content_type(struct head *head, const char *bytes, struct slice value)
{
    (void)bytes;
    (void)value;
    head->has_type = true;
    return 0;
}

/* The fields that are judged here, by the length of their names: no two are of one. */
static const struct {
    const char *name;
    read_value *read;
} known[] = {
    [4] = {"host", read_host},
    [6] = {"expect", read_expect},
    [10] = {"connection", read_connection},
    [12] = {"content-type", read_content_type},
    [14] = {"content-length", read_content_length},
    [17] = {"transfer-encoding", read_transfer_encoding},
};

/* "Content_Length": to programs that make variables of names it is the one with a dash. */
static bool is_disguised(struct slice name, const char *known_name)
{
    bool has_underscore = false;

    for (size_t i = 0; i < name.len; i++) {
        bool is_underscore = name.at[i] == '_' && known_name[i] == '-';

        if (!is_underscore && (name.at[i] | 0x20) != known_name[i])
            return false;
        has_underscore = has_underscore || is_underscore;
    }
    return has_underscore;
}

int head_field_read(struct head *head, const char *bytes, struct slice line)
{
    struct slice name = {.at = line.at, .len = octets_span(line.at, line.len, OCTET_TOKEN)};
    struct slice value = {.at = line.at + name.len + 1, .len = line.len - name.len - 1};

    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
        return head_refuse(head, 400, lines_fault(line, name.len));
    if (name.len >= sizeof(known) / sizeof(known[0]) || !known[name.len].name)
        return 0;
    if (is_disguised(name, known[name.len].name))
        return head_refuse(head, 400, "a header's name has '_' where '-' belongs");
    if (!octets_match(name, known[name.len].name, name.len))
        return 0;
    return known[name.len].read(head, bytes, octets_trim(value));
}
