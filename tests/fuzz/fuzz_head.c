/*
 * Fuzz target: what a client sends, read as a request's head and, if it is
 * chunked, its body. However the bytes are cut, the outcome is the same; and a
 * head that is accepted is one that every server reads in the same way.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/chunk.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits limits = {.bytes = 1024, .uri = 256, .fields = 16};

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
    check(len >= 4 && memcmp(bytes + len - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        check(byte >= 0x20 || byte == '\t' || byte == '\r' || byte == '\n');
        check(byte != 0x7f);
        check((byte != '\n' || (i > 0 && bytes[i - 1] == '\r')) &&
              (byte != '\r' || bytes[i + 1] == '\n'));
    }
}

static void check_slices(const struct head *head, const char *bytes)
{
    const struct slice slices[] = {head->method, head->target, head->host};

    for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
        check(slices[i].at >= bytes && slices[i].at + slices[i].len <= bytes + head->len);
        for (size_t j = 0; j < slices[i].len; j++)
            check(slices[i].at[j] > 0x20);
    }
    check(head->method.len > 0 && head->target.len > 0 && head->target.len <= limits.uri);
    check(head->target.at[-1] == ' ' && head->method.at[head->method.len] == ' ');
    check(head->host.len > 0 || head->minor == 0);
}

static void check_fields(const struct head *head, const char *bytes)
{
    struct slice name;
    struct slice value;
    size_t n = 0;
    size_t hosts = 0;
    size_t lengths = 0;
    size_t codings = 0;

    for (size_t at = 0; head_next_field(head, bytes, &at, &name, &value); n++) {
        check(name.len > 0 && value.at + value.len <= bytes + head->len - 4);
        check(!memchr(name.at, ' ', name.len) && !memchr(name.at, ':', name.len));
        check(!memchr(value.at, '\r', value.len));
        hosts += is(name, "host");
        lengths += is(name, "content-length");
        codings += is(name, "transfer-encoding");
    }
    check(n == head->n_fields && n <= limits.fields);
    check(hosts <= 1 && (hosts == 1 || head->minor == 0));
    check(lengths + codings <= 1 && (codings == 1) == (head->framing == HEAD_CHUNKED));
    check(lengths == 1 || head->framing != HEAD_LENGTH);
}

static void check_body(const struct head *head)
{
    check((head->framing == HEAD_LENGTH) == (head->content_length > 0));
    check(head->content_length <= INT64_MAX);
    check(head->framing == HEAD_NO_BODY ||
          (head->verb != METHOD_GET && head->verb != METHOD_HEAD && head->verb != METHOD_TRACE));
    check(head->framing != HEAD_NO_BODY || !head->expects_continue);
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

static int feed(struct head *head, const uint8_t *data, size_t len)
{
    char *bytes = copy_of(data, len);
    int outcome = head_feed(head, &limits, bytes, len);

    if (outcome == HEAD_DONE) {
        check(head->len <= len && head->len <= limits.bytes);
        check_bytes(bytes, head->len);
        check_slices(head, bytes);
        check_fields(head, bytes);
        check_body(head);
    } else if (outcome != HEAD_MORE) {
        check(outcome >= 400 && outcome <= 505 && head->why != NULL);
    }
    free(bytes);
    return outcome;
}

/* Feed in pieces of which the longest has `step` bytes. */
static void compare(const struct head *whole, const uint8_t *data, size_t size, size_t step)
{
    struct head head;
    size_t come = 0;
    int outcome;

    head_init(&head);
    do {
        come = size - come < step ? size : come + step;
        outcome = feed(&head, data, come);
    } while (outcome == HEAD_MORE && come < size);
    check(outcome == whole->outcome && head.why == whole->why && head.limit == whole->limit);
    if (outcome != HEAD_DONE)
        return;
    check(head.len == whole->len && head.n_fields == whole->n_fields);
    check(head.verb == whole->verb && head.minor == whole->minor);
    check(head.framing == whole->framing && head.content_length == whole->content_length);
    check(head.keep_alive == whole->keep_alive);
    check(head.expects_continue == whole->expects_continue);
}

/* The body must leave the decoder in a sane state too. */
static void decode(const char *bytes, size_t len)
{
    struct chunk_decoder chunk;
    struct slice piece;
    int outcome;

    chunk_init(&chunk);
    do {
        size_t consumed = 0;

        outcome = chunk_feed(&chunk, bytes, len, &consumed, &piece);
        check(consumed <= len);
        bytes += consumed;
        len -= consumed;
    } while (outcome == CHUNK_DATA);
    check(outcome != CHUNK_MORE || len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head whole;

    head_init(&whole);
    if (feed(&whole, data, size) == HEAD_DONE && whole.framing == HEAD_CHUNKED)
        decode((const char *)data + whole.len, size - whole.len);
    compare(&whole, data, size, 1);
    compare(&whole, data, size, 2 + size % 31);
    return 0;
}
