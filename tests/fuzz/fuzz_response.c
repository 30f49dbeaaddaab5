/*
 * Fuzz target: what an upstream server sends, read as an answer's head and, if it
 * is chunked, its body. However the bytes are cut, the outcome is the same; a head
 * that is accepted is one that every client reads in the same way; and no byte of
 * it is looked at twice. The first byte says what the request was.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/chunk.h"
#include "proxy/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct response_limits limits = {.bytes = 1024, .fields = 16};

/* Bits of the first byte. */
enum { TO_HEAD = 1, ASKS_UPGRADE = 2 };

static void check(int holds)
{
    if (!holds)
        abort();
}

static bool is(struct slice slice, const char *name)
{
    return slice.len == strlen(name) && strncasecmp(slice.at, name, slice.len) == 0;
}

static void check_bytes(const char *bytes, size_t len)
{
    check(len >= 16 && memcmp(bytes, "HTTP/1.", 7) == 0);
    check(memcmp(bytes + len - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        check(byte >= 0x20 || byte == '\t' || byte == '\r' || byte == '\n');
        check(byte != 0x7f);
        check((byte != '\n' || (i > 0 && bytes[i - 1] == '\r')) &&
              (byte != '\r' || bytes[i + 1] == '\n'));
    }
}

static void check_value(struct slice value)
{
    check(!memchr(value.at, '\r', value.len));
    if (value.len == 0)
        return;
    check(value.at[0] != ' ' && value.at[0] != '\t');
    check(value.at[value.len - 1] != ' ' && value.at[value.len - 1] != '\t');
}

static void check_fields(const struct response *response, const char *bytes)
{
    struct slice name;
    struct slice value;
    size_t n = 0;
    size_t lengths = 0;
    size_t codings = 0;

    for (size_t at = 0; response_next_field(response, bytes, &at, &name, &value); n++) {
        check(name.len > 0 && name.at > bytes && value.at + value.len <= bytes + response->len - 4);
        check(name.at + name.len < value.at || value.len == 0);
        check(!memchr(name.at, ' ', name.len) && !memchr(name.at, ':', name.len));
        check_value(value);
        lengths += is(name, "content-length");
        codings += is(name, "transfer-encoding");
    }
    check(n == response->n_fields && n <= limits.fields);
    check(codings <= 1 && (lengths == 0 || codings == 0));
    check(response->framing != RESPONSE_CHUNKED || (codings == 1 && response->minor == 1));
    check(lengths > 0 || !response->has_length);
    check(response->framing != RESPONSE_UNTIL_CLOSE || lengths + codings == 0);
}

static void check_body(const struct response *response, unsigned request)
{
    bool is_bodiless = (request & TO_HEAD) != 0 || response->status < 200 ||
                       response->status == 204 || response->status == 304;

    check(response->status >= 100 && response->status <= 599);
    check(response->minor == 0 || response->minor == 1);
    check(!is_bodiless || response->framing == RESPONSE_NO_BODY);
    check((response->framing == RESPONSE_LENGTH) == (!is_bodiless && response->content_length > 0));
    check(response->content_length <= INT64_MAX);
    check(response->has_length || response->content_length == 0);
    check(!response->keep_alive || response->framing != RESPONSE_UNTIL_CLOSE);
    check(response->is_upgrade == (response->status == 101));
    check(!response->is_upgrade || (request & ASKS_UPGRADE) != 0);
}

/* A copy of the first bytes, so that a read beyond what has come is seen. */
static char *copy_of(const uint8_t *data, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    check(copy != NULL);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

static int feed(struct response *response, unsigned request, const uint8_t *data, size_t len)
{
    char *bytes = copy_of(data, len);
    size_t scanned = response->lines.scanned;
    int outcome = response_feed(response, &limits, bytes, len);

    /* Linear cost: it goes on where it stopped, at most a byte, a CR, short of the end. */
    check(response->lines.scanned >= scanned && response->lines.scanned <= len);
    if (outcome == RESPONSE_MORE) {
        check(len <= limits.bytes && len - response->lines.scanned <= 1);
    } else if (outcome == RESPONSE_DONE) {
        check(response->len <= len && response->len <= limits.bytes);
        check(response->reason.len == 0 ||
              (response->reason.at > bytes &&
               response->reason.at + response->reason.len <= bytes + response->len - 4));
        check_bytes(bytes, response->len);
        check_fields(response, bytes);
        check_body(response, request);
    } else {
        check((outcome == -EPROTO || outcome == -EMSGSIZE) && response->why != NULL);
    }
    free(bytes);
    return outcome;
}

static void begin(struct response *response, unsigned request)
{
    response_init(response, (request & TO_HEAD) != 0, (request & ASKS_UPGRADE) != 0);
}

/* Feed in pieces of which the longest has `step` bytes. */
static void compare(const struct response *whole, unsigned request, const uint8_t *data,
                    size_t size, size_t step)
{
    struct response response;
    size_t come = 0;
    int outcome;

    begin(&response, request);
    do {
        come = size - come < step ? size : come + step;
        outcome = feed(&response, request, data, come);
    } while (outcome == RESPONSE_MORE && come < size);
    check(outcome == whole->outcome && response.why == whole->why);
    if (outcome != RESPONSE_DONE)
        return;
    check(response.len == whole->len && response.n_fields == whole->n_fields);
    check(response.status == whole->status && response.minor == whole->minor);
    check(response.framing == whole->framing && response.has_length == whole->has_length);
    check(response.content_length == whole->content_length);
    check(response.keep_alive == whole->keep_alive && response.is_upgrade == whole->is_upgrade);
    check(response.reason.len == whole->reason.len);
}

/* The body must leave the decoder in a sane state too. */
static void decode(const char *bytes, size_t len)
{
    struct chunk_trailer trailer;
    struct chunk_decoder chunk;
    struct slice piece;
    int outcome;

    chunk_init(&chunk);
    chunk_keep_trailers(&chunk, &trailer);
    do {
        size_t consumed = 0;

        outcome = chunk_feed(&chunk, bytes, len, &consumed, &piece);
        check(consumed <= len);
        bytes += consumed;
        len -= consumed;
    } while (outcome == CHUNK_DATA || outcome == CHUNK_TRAILER);
    check(outcome != CHUNK_MORE || len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct response whole;
    unsigned request;

    if (size == 0)
        return 0;
    request = data[0];
    data++;
    size--;
    begin(&whole, request);
    if (feed(&whole, request, data, size) == RESPONSE_DONE && whole.framing == RESPONSE_CHUNKED)
        decode((const char *)data + whole.len, size - whole.len);
    compare(&whole, request, data, size, 1);
    compare(&whole, request, data, size, 2 + size % 31);
    return 0;
}
