#include "config.h"

#include "zombiectl/chaos_response.h"

#include <string.h>

#include "http/octets.h"

/*
 *   STATUS_LINE -> FIELDS -+-> LENGTH -------+
 *     ^              |     +-> CHUNKS -------+-> END
 *     +-- interim ---+     +-> UNTIL_CLOSE --+
 *                          +-----------------+
 */
enum state { STATUS_LINE, FIELDS, LENGTH, CHUNKS, UNTIL_CLOSE, END };

static enum chaos_reading reject(struct chaos_response *response, const char *why)
{
    response->why = why;
    response->outcome = CHAOS_BAD;
    return CHAOS_BAD;
}

static enum chaos_reading go(struct chaos_response *response, enum state state)
{
    response->state = (int)state;
    return CHAOS_MORE;
}

static enum chaos_reading complete(struct chaos_response *response)
{
    bool may_go_on = response->minor == 1 || response->says_keep_alive;

    response->keeps_alive = may_go_on && !response->says_close && response->state != UNTIL_CLOSE;
    response->state = END;
    response->outcome = CHAOS_WHOLE;
    return CHAOS_WHOLE;
}

/* RFC 9112 section 4: "HTTP/1.1 200 OK", the reason may be empty, its space may not be missing. */
static enum chaos_reading read_status_line(struct chaos_response *response, struct slice line)
{
    const char *at = line.at;

    if (line.len < 13 || memcmp(at, "HTTP/1.", 7) != 0 || (at[7] != '0' && at[7] != '1') ||
        at[8] != ' ' || octets_span(at + 9, 3, OCTET_DIGIT) != 3 || at[12] != ' ')
        return reject(response, "the status line is malformed");
    response->minor = at[7] - '0';
    response->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    if (response->status < 100 || response->status > 599)
        return reject(response, "the status is not from 100 to 599");
    if (response->status == 101)
        return reject(response, "the server changes the protocol unasked");
    return go(response, FIELDS);
}

static enum chaos_reading read_length(struct chaos_response *response, struct slice value)
{
    uint64_t length = 0;

    if (response->has_length)
        return reject(response, "Content-Length is repeated");
    if (value.len == 0 || value.len > 18 ||
        octets_span(value.at, value.len, OCTET_DIGIT) != value.len)
        return reject(response, "Content-Length is not a number below 10^18");
    for (size_t i = 0; i < value.len; i++)
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    response->has_length = true;
    response->left = length;
    return CHAOS_MORE;
}

static enum chaos_reading read_coding(struct chaos_response *response, struct slice value)
{
    if (response->is_chunked || !OCTETS_ARE(value, "chunked"))
        return reject(response, "Transfer-Encoding is not \"chunked\"");
    response->is_chunked = true;
    return CHAOS_MORE;
}

static enum chaos_reading read_connection(struct chaos_response *response, struct slice value)
{
    struct slice option;

    while (octets_next_element(&value, &option)) {
        if (octets_span(option.at, option.len, OCTET_TOKEN) != option.len)
            return reject(response, "Connection is no list of tokens");
        response->says_close |= OCTETS_ARE(option, "close");
        response->says_keep_alive |= OCTETS_ARE(option, "keep-alive");
    }
    return CHAOS_MORE;
}

static enum chaos_reading read_field(struct chaos_response *response, struct slice line)
{
    struct slice name = {.at = line.at, .len = octets_span(line.at, line.len, OCTET_TOKEN)};
    struct slice value;

    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
        return reject(response, "a field is malformed");
    value.at = line.at + name.len + 1;
    value.len = line.len - name.len - 1;
    value = octets_trim(value);
    if (OCTETS_ARE(name, "content-length"))
        return read_length(response, value);
    if (OCTETS_ARE(name, "transfer-encoding"))
        return read_coding(response, value);
    if (OCTETS_ARE(name, "connection"))
        return read_connection(response, value);
    return CHAOS_MORE;
}

static enum chaos_reading end_interim(struct chaos_response *response)
{
    if (response->has_length || response->is_chunked)
        return reject(response, "an interim answer has content");
    response->says_close = false;
    response->says_keep_alive = false;
    return go(response, STATUS_LINE);
}

/* RFC 9112 section 6.3, for an answer to GET. */
static enum chaos_reading end_head(struct chaos_response *response)
{
    if (response->status < 200)
        return end_interim(response);
    if (response->has_length && response->is_chunked)
        return reject(response, "there are both Content-Length and Transfer-Encoding");
    if (response->is_chunked && response->minor == 0)
        return reject(response, "HTTP/1.0 knows no Transfer-Encoding");
    if (response->status == 204 && (response->has_length || response->is_chunked))
        return reject(response, "204 has no content");
    if (response->status == 204 || response->status == 304)
        return complete(response);
    if (response->is_chunked)
        return go(response, CHUNKS);
    if (!response->has_length)
        return go(response, UNTIL_CLOSE);
    return response->left == 0 ? complete(response) : go(response, LENGTH);
}

static enum chaos_reading read_line(struct chaos_response *response)
{
    struct slice line = {.at = response->line, .len = response->line_len};

    if (line.len == 0 || line.at[line.len - 1] != '\r')
        return reject(response, "a line ends with LF alone");
    line.len--;
    response->line_len = 0;
    if (octets_text(line.at, line.len) != line.len)
        return reject(response, "a line has a control byte");
    if (response->state == STATUS_LINE)
        return read_status_line(response, line);
    return line.len == 0 ? end_head(response) : read_field(response, line);
}

/* Take bytes of a head, up to the end of a line. */
static enum chaos_reading feed_line(struct chaos_response *response, const char *bytes, size_t len,
                                    size_t *consumed)
{
    const char *newline = memchr(bytes, '\n', len);
    size_t n = newline != NULL ? (size_t)(newline - bytes) : len;

    if (n > sizeof(response->line) - response->line_len)
        return reject(response, "a line is too long");
    memcpy(response->line + response->line_len, bytes, n);
    response->line_len += n;
    *consumed = newline != NULL ? n + 1 : n;
    response->head += *consumed;
    if (response->head > CHAOS_HEAD_MAX)
        return reject(response, "the head is too long");
    return newline != NULL ? read_line(response) : CHAOS_MORE;
}

static enum chaos_reading feed_chunks(struct chaos_response *response, const char *bytes,
                                      size_t len, size_t *consumed)
{
    struct slice data;
    int outcome = chunk_feed(&response->chunk, bytes, len, consumed, &data);

    response->content += data.len;
    if (outcome == CHUNK_DONE)
        return complete(response);
    if (outcome == CHUNK_MORE || outcome == CHUNK_DATA)
        return CHAOS_MORE;
    return reject(response, response->chunk.why);
}

static enum chaos_reading feed_length(struct chaos_response *response, size_t len, size_t *consumed)
{
    *consumed = len < response->left ? len : (size_t)response->left;
    response->left -= *consumed;
    response->content += *consumed;
    return response->left == 0 ? complete(response) : CHAOS_MORE;
}

static enum chaos_reading feed(struct chaos_response *response, const char *bytes, size_t len,
                               size_t *consumed)
{
    switch (response->state) {
    case STATUS_LINE:
    case FIELDS:
        return feed_line(response, bytes, len, consumed);
    case LENGTH:
        return feed_length(response, len, consumed);
    case CHUNKS:
        return feed_chunks(response, bytes, len, consumed);
    default:
        *consumed = len;
        response->content += len;
        return CHAOS_MORE;
    }
}

void chaos_response_init(struct chaos_response *response)
{
    /* The buffer of the line need not be cleared: only its first line_len bytes count. */
    memset(response, 0, offsetof(struct chaos_response, line));
    chunk_init(&response->chunk);
}

enum chaos_reading chaos_response_feed(struct chaos_response *response, const char *bytes,
                                       size_t len, size_t *ret_consumed)
{
    size_t at = 0;

    while (response->outcome == CHAOS_MORE && at < len) {
        size_t consumed = 0;

        (void)feed(response, bytes + at, len - at, &consumed);
        at += consumed;
    }
    *ret_consumed = at;
    return response->outcome;
}

enum chaos_reading chaos_response_end(struct chaos_response *response)
{
    if (response->outcome == CHAOS_MORE && response->state == UNTIL_CLOSE)
        return complete(response);
    return response->outcome;
}
