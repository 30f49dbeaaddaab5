/*
 * Fuzz target: a chunked body. However the bytes are cut, the data and the
 * outcome are the same; and a body that is accepted, written anew from its data,
 * is decoded to the same data.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of a body. */
struct decoded {
    char *data;
    size_t len;
    size_t used;
    int outcome;
    struct chunk_decoder chunk;
};

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Feed a piece, in memory of its own. */
static void feed(struct decoded *decoded, const char *bytes, size_t len)
{
    char *piece = malloc(len > 0 ? len : 1);
    size_t used = 0;

    check(piece != NULL);
    if (len > 0)
        memcpy(piece, bytes, len);
    do {
        struct slice data;
        size_t consumed = SIZE_MAX;

        decoded->outcome = chunk_feed(&decoded->chunk, piece + used, len - used, &consumed, &data);
        check(consumed <= len - used);
        check((decoded->outcome == CHUNK_DATA) == (data.len > 0));
        if (data.len > 0) {
            check(data.at >= piece + used && data.at + data.len == piece + used + consumed);
            memcpy(decoded->data + decoded->len, data.at, data.len);
        }
        decoded->len += data.len;
        used += consumed;
    } while (decoded->outcome == CHUNK_DATA);
    check(decoded->outcome != CHUNK_MORE || used == len);
    check(decoded->outcome < 400 || decoded->chunk.why != NULL);
    decoded->used += used;
    free(piece);
}

static struct decoded decode(const char *bytes, size_t size, size_t step)
{
    struct decoded decoded = {.data = malloc(size + 1)};

    check(decoded.data != NULL);
    chunk_init(&decoded.chunk);
    for (size_t come = 0; come < size && decoded.outcome == CHUNK_MORE;) {
        size_t len = size - come < step ? size - come : step;

        feed(&decoded, bytes + come, len);
        come += len;
        check(decoded.len <= decoded.chunk.announced);
    }
    return decoded;
}

static void check_same_data(const struct decoded *a, const struct decoded *b)
{
    check(a->outcome == b->outcome && a->len == b->len);
    check(memcmp(a->data, b->data, a->len) == 0);
}

static void compare(const struct decoded *whole, const char *bytes, size_t size, size_t step)
{
    struct decoded pieces = decode(bytes, size, step);

    check_same_data(whole, &pieces);
    check(whole->used == pieces.used && whole->chunk.why == pieces.chunk.why);
    free(pieces.data);
}

/* Write the data as one chunk, and decode that. */
static void check_again(const struct decoded *whole)
{
    size_t size = 0;
    char *text = NULL;
    FILE *file = open_memstream(&text, &size);
    struct decoded again;

    check(file != NULL);
    if (whole->len > 0) {
        (void)fprintf(file, "%zx\r\n", whole->len);
        (void)fwrite(whole->data, 1, whole->len, file);
        (void)fputs("\r\n", file);
    }
    (void)fputs("0\r\n\r\n", file);
    check(fclose(file) == 0);
    again = decode(text, size, size);
    check_same_data(whole, &again);
    check(again.used == size);
    free(again.data);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct decoded whole = decode(bytes, size, size);

    if (whole.outcome == CHUNK_DONE) {
        check(whole.used >= 5 && memcmp(bytes + whole.used - 2, "\r\n", 2) == 0);
        check(whole.len == whole.chunk.announced);
        check_again(&whole);
    }
    compare(&whole, bytes, size, 1);
    compare(&whole, bytes, size, 2 + size % 31);
    free(whole.data);
    return 0;
}
