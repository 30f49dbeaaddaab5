#include "config.h"

#include "base/access_piece.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* --- Putting bytes ----------------------------------------------------------- */

static size_t room(const struct access_line *line)
{
    return (size_t)(line->end - line->at);
}

/* All of it, or nothing and no more. */
static void put_whole(struct access_line *line, const char *bytes, size_t len)
{
    if (line->full || len > room(line)) {
        line->full = true;
        return;
    }
    memcpy(line->at, bytes, len);
    line->at += len;
}

static void put_string(struct access_line *line, const char *text)
{
    put_whole(line, text, strlen(text));
}

/* At least `digits` digits, with zeros before. */
static void put_digits(struct access_line *line, uint64_t number, size_t digits)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof text - at < digits);
    put_whole(line, text + at, sizeof text - at);
}

/* Three decimals of `thousandths`. */
static void put_decimal(struct access_line *line, uint64_t thousandths)
{
    put_digits(line, thousandths / 1000, 1);
    put_whole(line, ".", 1);
    put_digits(line, thousandths % 1000, 3);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* The plain bytes that `text` begins with, as many as fit; returns how many. */
static size_t put_plain(struct access_line *line, const char *text, size_t len)
{
    size_t most = len < room(line) ? len : room(line);
    size_t n = 0;
    for (; n < most && is_plain((unsigned char)text[n]); n++)
        line->at[n] = text[n];
    line->at += n;
    return n;
}

static void put_text_escape(struct access_line *line, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    put_whole(line, escape, sizeof escape);
}

static void put_text(struct access_line *line, struct access_text text)
{
    if (text.text == NULL) {
        put_whole(line, "-", 1);
        return;
    }
    for (size_t i = 0; !line->full; i++) {
        i += put_plain(line, text.text + i, text.len - i);
        if (i == text.len)
            return;
        if (is_plain((unsigned char)text.text[i]))
            line->full = true;
        else
            put_text_escape(line, (unsigned char)text.text[i]);
    }
}

/* --- What an entry says -------------------------------------------------------- */

static struct access_text member_text(const struct access_line *line, size_t offset)
{
    struct access_text text;
    memcpy(&text, (const char *)line->entry + offset, sizeof text);
    return text;
}

static uint64_t member_number(const struct access_line *line, size_t offset)
{
    uint64_t number;
    memcpy(&number, (const char *)line->entry + offset, sizeof number);
    return number;
}

static struct access_text header_text(const struct access_line *line, const char *name)
{
    const struct access_entry *entry = line->entry;
    const char *value = entry->header != NULL ? entry->header(entry->request, name) : NULL;
    return (struct access_text){value, value != NULL ? strlen(value) : 0};
}

/* Where the ids are in a traceparent: "00-", 32 digits, '-', 16 digits, "-01". */
enum { TRACE_ID_AT = 3, TRACE_ID_LEN = 32, SPAN_ID_AT = 36, SPAN_ID_LEN = 16 };

static struct access_text traceparent_part(const struct access_line *line, size_t at, size_t len)
{
    struct access_text whole = line->entry->traceparent;
    if (whole.text == NULL || whole.len < at + len)
        return (struct access_text){NULL, 0};
    return (struct access_text){whole.text + at, len};
}

static uint64_t thousandth(const struct access_line *line)
{
    return (uint64_t)(line->entry->time.tv_nsec / 1000000 % 1000);
}

/* --- Pieces of a line of text ------------------------------------------------ */

static void literal(struct access_line *line, const struct access_piece *piece)
{
    put_whole(line, piece->text, piece->len);
}

static void text_member(struct access_line *line, const struct access_piece *piece)
{
    put_text(line, member_text(line, piece->offset));
}

static void number_member(struct access_line *line, const struct access_piece *piece)
{
    put_digits(line, member_number(line, piece->offset), 1);
}

static void header(struct access_line *line, const struct access_piece *piece)
{
    put_text(line, header_text(line, piece->field));
}

static void request(struct access_line *line, const struct access_piece *piece)
{
    const struct access_entry *entry = line->entry;
    (void)piece;
    put_text(line, entry->method);
    if (entry->method.text == NULL)
        return;
    put_whole(line, " ", 1);
    put_text(line, entry->request_uri);
    put_whole(line, " ", 1);
    put_text(line, entry->protocol);
}

static void time_local(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_string(line, line->dates->local);
}

static void time_iso8601(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_string(line, line->dates->iso8601);
}

static void msec(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    time_t second = line->entry->time.tv_sec;
    put_digits(line, second > 0 ? (uint64_t)second : 0, 1);
    put_whole(line, ".", 1);
    put_digits(line, thousandth(line), 3);
}

static void status(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_digits(line, line->entry->status, 3);
}

static void request_time(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_decimal(line, line->entry->duration_us / 1000);
}

static void pipelined(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_whole(line, line->entry->pipelined ? "p" : ".", 1);
}

static void trace_id(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_text(line, traceparent_part(line, TRACE_ID_AT, TRACE_ID_LEN));
}

static void span_id(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_text(line, traceparent_part(line, SPAN_ID_AT, SPAN_ID_LEN));
}

/* A time of an attempt, in microseconds; -1: there is none. */
static void put_time(struct access_line *line, const struct access_attempt *attempt, size_t offset)
{
    int64_t us;
    memcpy(&us, (const char *)attempt + offset, sizeof us);
    if (us < 0)
        put_whole(line, "-", 1);
    else
        put_decimal(line, (uint64_t)us / 1000);
}

static void put_attempt(struct access_line *line, const struct access_attempt *attempt,
                        size_t offset)
{
    if (offset == offsetof(struct access_attempt, server))
        put_text(line, (struct access_text){attempt->server, strlen(attempt->server)});
    else if (offset != offsetof(struct access_attempt, status))
        put_time(line, attempt, offset);
    else if (attempt->status != 0)
        put_digits(line, attempt->status, 3);
    else
        put_whole(line, "-", 1);
}

static void attempts(struct access_line *line, const struct access_piece *piece)
{
    const struct access_attempt *attempt = line->entry->attempts;
    if (attempt == NULL)
        put_whole(line, "-", 1);
    for (; attempt != NULL; attempt = attempt->next) {
        put_attempt(line, attempt, piece->offset);
        if (attempt->next != NULL)
            put_whole(line, ", ", 2);
    }
}

/* --- Pieces of a JSON object --------------------------------------------------- */

static void put_json_escape(struct access_line *line, unsigned char byte)
{
    char escape[sizeof "\\u0000"];
    if (byte == '"' || byte == '\\')
        snprintf(escape, sizeof escape, "\\%c", byte);
    else if (byte < 0x80)
        snprintf(escape, sizeof escape, "\\u%04x", byte);
    else
        strcpy(escape, "\\ufffd");
    put_string(line, escape);
}

/* C1 controls (U+0080 to U+009F) steer the terminals of those who read logs. */
static bool is_c1_control(const char *text, size_t length)
{
    return length == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0;
}

static void put_json_body(struct access_line *line, struct access_text text)
{
    for (size_t i = 0; !line->full;) {
        i += put_plain(line, text.text + i, text.len - i);
        if (i == text.len)
            return;
        const char *next = text.text + i;
        size_t length = utf8_sequence_length(next, text.len - i);
        if (is_plain((unsigned char)*next)) {
            line->full = true;
        } else if (length > 1 && !is_c1_control(next, length)) {
            put_whole(line, next, length);
            i += length;
        } else {
            put_json_escape(line, (unsigned char)*next);
            i++;
        }
    }
}

/* A member that is whole or absent: a cut number would be another number. */
static void put_json_member(struct access_line *line, const struct access_piece *piece,
                            const char *value, size_t len)
{
    if (piece->len + len > room(line))
        line->full = true;
    put_whole(line, piece->text, piece->len);
    put_whole(line, value, len);
}

/* A text may be cut, as long as its quotes have room. */
static void put_json_text(struct access_line *line, const struct access_piece *piece,
                          struct access_text text)
{
    if (text.text == NULL) {
        put_json_member(line, piece, "null", strlen("null"));
        return;
    }
    if (line->full || piece->len + strlen("\"\"") > room(line)) {
        line->full = true;
        return;
    }
    put_whole(line, piece->text, piece->len);
    put_whole(line, "\"", 1);
    line->end--;
    put_json_body(line, text);
    line->end++;
    *line->at++ = '"';
}

static void json_text(struct access_line *line, const struct access_piece *piece)
{
    put_json_text(line, piece, member_text(line, piece->offset));
}

static void json_header(struct access_line *line, const struct access_piece *piece)
{
    put_json_text(line, piece, header_text(line, piece->field));
}

static void json_trace_id(struct access_line *line, const struct access_piece *piece)
{
    put_json_text(line, piece, traceparent_part(line, TRACE_ID_AT, TRACE_ID_LEN));
}

static void json_span_id(struct access_line *line, const struct access_piece *piece)
{
    put_json_text(line, piece, traceparent_part(line, SPAN_ID_AT, SPAN_ID_LEN));
}

/* A value made of digits and the like, in a line of its own so that its length is known. */
static void put_json_value(struct access_line *line, const struct access_piece *piece,
                           access_piece_put *put)
{
    char value[ACCESS_DATE_SIZE + 8];
    struct access_line small = {value, value + sizeof value, false, line->entry, line->dates};
    put(&small, piece);
    put_json_member(line, piece, value, (size_t)(small.at - value));
}

static void json_number(struct access_line *line, const struct access_piece *piece)
{
    put_json_value(line, piece, number_member);
}

static void json_status(struct access_line *line, const struct access_piece *piece)
{
    char value[24];
    struct access_line small = {value, value + sizeof value, false, NULL, NULL};
    put_digits(&small, line->entry->status, 1);
    put_json_member(line, piece, value, (size_t)(small.at - value));
}

static void duration(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_decimal(line, line->entry->duration_us);
}

static void json_duration(struct access_line *line, const struct access_piece *piece)
{
    put_json_value(line, piece, duration);
}

static void utc(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_whole(line, "\"", 1);
    put_string(line, line->dates->utc);
    put_whole(line, ".", 1);
    put_digits(line, thousandth(line), 3);
    put_whole(line, "Z\"", 2);
}

static void json_time(struct access_line *line, const struct access_piece *piece)
{
    put_json_value(line, piece, utc);
}

/* --- The tables ------------------------------------------------------------------ */

#define MEMBER(put, member) put, offsetof(struct access_entry, member)
#define OF_ATTEMPTS(member) attempts, offsetof(struct access_attempt, member)

static const struct {
    const char *name;
    access_piece_put *put;
    size_t offset;
} variables[] = {
    {"args", MEMBER(text_member, args)},
    {"body_bytes_sent", MEMBER(number_member, body_bytes_sent)},
    {"bytes_sent", MEMBER(number_member, bytes_sent)},
    {"connection", MEMBER(number_member, connection)},
    {"connection_requests", MEMBER(number_member, connection_requests)},
    {"host", MEMBER(text_member, host)},
    {"instance", MEMBER(text_member, instance)},
    {"msec", msec, 0},
    {"pid", MEMBER(number_member, pid)},
    {"pipe", pipelined, 0},
    {"remote_addr", MEMBER(text_member, remote_addr)},
    {"remote_user", MEMBER(text_member, remote_user)},
    {"request", request, 0},
    {"request_length", MEMBER(number_member, request_length)},
    {"request_method", MEMBER(text_member, method)},
    {"request_time", request_time, 0},
    {"request_uri", MEMBER(text_member, request_uri)},
    {"route", MEMBER(text_member, route)},
    {"server_protocol", MEMBER(text_member, protocol)},
    {"slot", MEMBER(number_member, slot)},
    {"span_id", span_id, 0},
    {"status", status, 0},
    {"time_iso8601", time_iso8601, 0},
    {"time_local", time_local, 0},
    {"trace_id", trace_id, 0},
    {"traceparent", MEMBER(text_member, traceparent)},
    {"upstream_addr", OF_ATTEMPTS(server)},
    {"upstream_connect_time", OF_ATTEMPTS(connect_us)},
    {"upstream_header_time", OF_ATTEMPTS(header_us)},
    {"upstream_response_time", OF_ATTEMPTS(response_us)},
    {"upstream_status", OF_ATTEMPTS(status)},
    {"uri", MEMBER(text_member, path)},
    {"worker", MEMBER(number_member, worker)},
};

#define KEY(text) text, sizeof(text) - 1

/* What is short comes first, so that a line that is cut has it. */
static const struct access_piece json[] = {
    {json_time, 0, KEY("{\"time\":"), NULL},
    {json_status, 0, KEY(",\"status\":"), NULL},
    {MEMBER(json_number, body_bytes_sent), KEY(",\"bytes\":"), NULL},
    {json_duration, 0, KEY(",\"duration_ms\":"), NULL},
    {MEMBER(json_text, remote_addr), KEY(",\"remote_addr\":"), NULL},
    {MEMBER(json_text, method), KEY(",\"method\":"), NULL},
    {MEMBER(json_text, protocol), KEY(",\"protocol\":"), NULL},
    {MEMBER(json_number, worker), KEY(",\"worker\":"), NULL},
    {MEMBER(json_number, slot), KEY(",\"slot\":"), NULL},
    {MEMBER(json_number, pid), KEY(",\"pid\":"), NULL},
    {MEMBER(json_text, instance), KEY(",\"instance\":"), NULL},
    {MEMBER(json_text, route), KEY(",\"route\":"), NULL},
    {json_trace_id, 0, KEY(",\"trace_id\":"), NULL},
    {json_span_id, 0, KEY(",\"span_id\":"), NULL},
    {MEMBER(json_text, host), KEY(",\"host\":"), NULL},
    {MEMBER(json_text, request_uri), KEY(",\"uri\":"), NULL},
    {json_header, 0, KEY(",\"referer\":"), "referer"},
    {json_header, 0, KEY(",\"user_agent\":"), "user-agent"},
};

bool access_piece_variable(const char *name, size_t len, struct access_piece *ret_piece)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            *ret_piece =
                (struct access_piece){variables[i].put, variables[i].offset, NULL, 0, NULL};
            return true;
        }
    return false;
}

struct access_piece access_piece_literal(const char *text, size_t len)
{
    return (struct access_piece){literal, 0, text, len, NULL};
}

struct access_piece access_piece_header(const char *name)
{
    return (struct access_piece){header, 0, NULL, 0, name};
}

const struct access_piece *access_piece_json(size_t *ret_n)
{
    *ret_n = sizeof json / sizeof json[0];
    return json;
}
