#include "config.h"

#include "http/head.h"

#include "http/authority.h"
#include "http/head_field.h"
#include "http/head_line.h"

void head_init(struct head *head)
{
    *head = (struct head){.outcome = HEAD_MORE};
}

/* Which bodies go with which method (RFC 9110 section 9.3). */
static int check_body(struct head *head)
{
    bool has_body = head->content_length > 0 || head->framing == HEAD_CHUNKED;

    switch (head->verb) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_TRACE:
        if (has_body)
            return head_refuse(head, 400, "the method has no body, but one was announced");
        break;
    case METHOD_POST:
    case METHOD_PUT:
    case METHOD_PATCH:
        if (!has_body && !head->has_length && (head->has_type || head->minor == 0))
            return head_refuse(head, 411, "the length of the body is missing");
        break;
    case METHOD_DELETE:
    case METHOD_OPTIONS:
        break;
    }
    if (head->content_length > 0)
        head->framing = HEAD_LENGTH;
    head->expects_continue = head->expects_continue && has_body;
    return 0;
}

/* The host comes from Host, or for HTTP/1.0 without it from an absolute target. */
static int check_host(struct head *head, const char *bytes)
{
    struct slice text = {bytes + head->authority_span.at, head->authority_span.len};
    struct slice host_text = {bytes + head->host_span.at, head->host_span.len};
    struct authority wanted;
    struct authority host;

    if (!head->has_host && head->minor > 0)
        return head_refuse(head, 400, "Host is missing");
    if (text.len == 0)
        return 0;
    if (!head->has_host) {
        head->host_span = head->authority_span;
        return 0;
    }
    if (!authority_parse(text, &wanted) || !authority_parse(host_text, &host) ||
        !authority_equal(&wanted, &host))
        return head_refuse(head, 400, "Host differs from the host in the target");
    return 0;
}

static int finish(struct head *head, const char *bytes)
{
    int status = check_host(head, bytes);

    if (status == 0)
        status = check_body(head);
    if (status != 0)
        return status;
    head->len = head->lines.at;
    head->keep_alive = !head->has_close && (head->minor > 0 || head->has_keep_alive);
    return HEAD_DONE;
}

/* Judge a line; returns HEAD_MORE when others are to follow. */
static int read_line(struct head *head, const struct head_limits *limits, const char *bytes,
                     struct slice line)
{
    int status;

    if (head->fields == 0) {
        if (line.len == 0)
            return line.at == bytes ? HEAD_MORE
                                    : head_refuse(head, 400, "there are empty lines in front");
        status = head_line_read(head, limits->uri, bytes, line);
        head->fields = head->lines.at;
        return status;
    }
    if (line.len == 0)
        return finish(head, bytes);
    if (head->n_fields == limits->fields) {
        head->limit = HEAD_LIMIT_FIELDS;
        return head_refuse(head, 431, "there are too many header lines");
    }
    head->n_fields++;
    return head_field_read(head, bytes, line);
}

static int refuse_size(struct head *head)
{
    head->limit = HEAD_LIMIT_BYTES;
    if (head->fields == 0)
        return head_refuse(head, 414, "the request line is too long");
    return head_refuse(head, 431, "the head is too long");
}

/* Only what the limit leaves is looked at, so that it does not matter how much came at once. */
static int read_lines(struct head *head, const struct head_limits *limits, const char *bytes,
                      size_t len)
{
    size_t window = len < limits->bytes ? len : limits->bytes;
    struct slice line = {0};
    int status;

    do {
        status = lines_next(&head->lines, bytes, window, &line, &head->why);
        if (status == LINES_MORE)
            return len > window ? refuse_size(head) : HEAD_MORE;
        status = status == LINES_READY ? read_line(head, limits, bytes, line) : 400;
    } while (status == HEAD_MORE);
    return status;
}

int head_feed(struct head *head, const struct head_limits *limits, const char *bytes, size_t len)
{
    if (head->outcome == HEAD_MORE)
        head->outcome = read_lines(head, limits, bytes, len);
    if (head->outcome == HEAD_DONE) {
        head->method = (struct slice){bytes + head->method_span.at, head->method_span.len};
        head->target = (struct slice){bytes + head->target_span.at, head->target_span.len};
        head->host = (struct slice){bytes + head->host_span.at, head->host_span.len};
    }
    return head->outcome;
}

bool head_next_field(const struct head *head, const char *bytes, size_t *cursor,
                     struct slice *ret_name, struct slice *ret_value)
{
    return lines_next_field(bytes, head->fields, head->len, cursor, ret_name, ret_value);
}
