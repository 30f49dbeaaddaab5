#include "config.h"

#include "http/reply_head.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "http/attributes.h"
#include "http/connection.h"
#include "http/http_date.h"
#include "http/server_state.h"

/* The phrases of the HTTP status code registry, and a teapot. */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *reply_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

bool reply_is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* RFC 9110 section 6.6.1; made once a second. */
static void add_date(struct http_server *server, struct bytes *head)
{
    time_t now = time(NULL);
    if (now != server->date_s) {
        server->date_s = now;
        http_date_format(now, server->date);
    }
    bytes_add(head, "Date: ", 6);
    bytes_add(head, server->date, HTTP_DATE_SIZE - 1);
    bytes_add(head, "\r\n", 2);
}

static void add_status(struct bytes *head, int status, const char *reason)
{
    bytes_add(head, "HTTP/1.1 ", 9);
    bytes_add_number(head, (uint64_t)status);
    bytes_add(head, " ", 1);
    bytes_add_text(head, reason != NULL ? reason : reply_reason(status));
    bytes_add(head, "\r\n", 2);
}

static void add_field(struct bytes *head, const char *name, const char *value)
{
    if (strpbrk(value, "\r\n") != NULL) { /* it would be read as more than a value */
        log_error("the answer's field %s has a line break and is left out", name);
        return;
    }
    bytes_add_text(head, name);
    bytes_add(head, ": ", 2);
    bytes_add_text(head, value);
    bytes_add(head, "\r\n", 2);
}

static void add_length(struct bytes *head, const struct connection *connection, uint64_t len)
{
    if (len == REPLY_LENGTH_UNKNOWN) {
        if (connection->head.minor > 0)
            bytes_add_text(head, "Transfer-Encoding: chunked\r\n");
        return;
    }
    bytes_add(head, "Content-Length: ", 16);
    bytes_add_number(head, len);
    bytes_add(head, "\r\n", 2);
}

static void add_connection(struct bytes *head, const struct connection *connection)
{
    if (connection->request.status == 101)
        return;
    if (connection->last)
        bytes_add_text(head, "Connection: close\r\n");
    else if (connection->head.minor == 0)
        bytes_add_text(head, "Connection: keep-alive\r\n");
}

static void decide_whether_last(struct http_request *request, int status, uint64_t len)
{
    struct connection *connection = request->connection;
    request->until_close =
        status == 101 || (len == REPLY_LENGTH_UNKNOWN && connection->head.minor == 0);
    if (request->server->closing || request->doomed || request->until_close || connection->streams)
        connection->last = true;
}

void reply_interim_head(struct bytes *head, int status, const char *lines, size_t lines_len)
{
    add_status(head, status, NULL);
    bytes_add(head, lines, lines_len);
    bytes_add(head, "\r\n", 2);
}

const struct bytes *reply_head(struct http_request *request, const struct reply *reply,
                               uint64_t len)
{
    struct bytes *head = &request->server->head;
    decide_whether_last(request, reply->status, len);
    request->status = reply->status;
    bytes_clear(head);
    add_status(head, reply->status, reply->reason);
    if (!reply->is_dated)
        add_date(request->server, head);
    if (!reply_is_bodiless(reply->status)) {
        add_length(head, request->connection, len);
        if (reply->type != NULL)
            add_field(head, "Content-Type", reply->type);
    }
    for (const struct reply_header *field = reply->headers; field != NULL && field->name != NULL;
         field++)
        if (field->value != NULL)
            add_field(head, field->name, field->value);
    bytes_add(head, reply->lines, reply->lines_len);
    if (request_route(request) != NULL) {
        const struct bytes *more = &request_attributes(request)->headers;
        bytes_add(head, more->at, more->len);
    }
    add_connection(head, request->connection);
    bytes_add(head, "\r\n", 2);
    request->answered = true;
    request->head_bytes += head->len;
    return head;
}
