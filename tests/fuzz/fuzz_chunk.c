/*
 * Fuzz target: a chunked body. However the bytes are cut, the data and the
 * outcome are the same; and a body that is accepted, written anew from its data
 * and trailers, is decoded to the same. Who does not keep trailers gets the same
 * data.
 */
#include "config.h"

#include <stdbool.h>
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
    size_t n_trailers;
    size_t trailers_len;
    char trailers[CHUNK_TRAILERS_MAX + 1]; /* as lines, without the blanks around values */
    int outcome;
    struct chunk_decoder chunk;
    struct chunk_trailer trailer;
};

static void check(int holds)
{
    if (!holds)
        abort();
}

static bool is_within(const struct chunk_trailer *trailer, struct slice slice)
{
    return slice.at >= trailer->text && slice.at + slice.len <= trailer->text + trailer->len;
}

static void add_trailer(struct decoded *decoded)
{
    const struct chunk_trailer *trailer = &decoded->trailer;
    size_t len = trailer->name.len + trailer->value.len;

    check(trailer->name.len > 0 && trailer->len <= sizeof(trailer->text));
    check(is_within(trailer, trailer->name) && is_within(trailer, trailer->value));
    check(!memchr(trailer->text, '\r', trailer->len) && !memchr(trailer->text, 0, trailer->len));
    check(++decoded->n_trailers <= CHUNK_TRAILER_LINES_MAX);
    check(decoded->trailers_len + len + 3 < sizeof(decoded->trailers));
    decoded->trailers_len += (size_t)snprintf(
        decoded->trailers + decoded->trailers_len,
        sizeof(decoded->trailers) - decoded->trailers_len, "%.*s:%.*s\r\n", (int)trailer->name.len,
        trailer->name.at, (int)trailer->value.len, trailer->value.at);
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
        if (decoded->outcome == CHUNK_TRAILER)
            add_trailer(decoded);
        decoded->len += data.len;
        used += consumed;
    } while (decoded->outcome == CHUNK_DATA || decoded->outcome == CHUNK_TRAILER);
    check(decoded->outcome != CHUNK_MORE || used == len);
    check(decoded->outcome < 400 || decoded->chunk.why != NULL);
    decoded->used += used;
    free(piece);
}

static struct decoded decode(const char *bytes, size_t size, size_t step, bool keep)
{
    struct decoded decoded = {.data = malloc(size + 1)};

    check(decoded.data != NULL);
    chunk_init(&decoded.chunk);
    if (keep)
        chunk_keep_trailers(&decoded.chunk, &decoded.trailer);
    for (size_t come = 0; come < size && decoded.outcome == CHUNK_MORE;) {
        size_t len = size - come < step ? size - come : step;

        feed(&decoded, bytes + come, len);
        come += len;
        check(decoded.len <= decoded.chunk.announced);
    }
    decoded.chunk.trailer = NULL;
    return decoded;
}

static void check_same_data(const struct decoded *a, const struct decoded *b)
{
    check(a->outcome == b->outcome && a->len == b->len);
    check(memcmp(a->data, b->data, a->len) == 0);
}

static void check_same_trailers(const struct decoded *a, const struct decoded *b)
{
    check(a->n_trailers == b->n_trailers && a->trailers_len == b->trailers_len);
    check(memcmp(a->trailers, b->trailers, a->trailers_len) == 0);
}

static void compare(const struct decoded *whole, const char *bytes, size_t size, size_t step,
                    bool keep)
{
    struct decoded pieces = decode(bytes, size, step, keep);

    check_same_data(whole, &pieces);
    if (keep)
        check_same_trailers(whole, &pieces);
    check(keep || pieces.n_trailers == 0);
    check(whole->used == pieces.used && whole->chunk.why == pieces.chunk.why);
    free(pieces.data);
}

/* Write the data as one chunk and the trailers behind it, and decode that. */
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
    (void)fprintf(file, "0\r\n%.*s\r\n", (int)whole->trailers_len, whole->trailers);
    check(fclose(file) == 0);
    again = decode(text, size, size, true);
    check_same_data(whole, &again);
    check_same_trailers(whole, &again);
    check(again.used == size);
    free(again.data);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct decoded whole = decode(bytes, size, size, true);

    if (whole.outcome == CHUNK_DONE) {
        check(whole.used >= 5 && memcmp(bytes + whole.used - 2, "\r\n", 2) == 0);
        check(whole.len == whole.chunk.announced);
        check_again(&whole);
    }
    compare(&whole, bytes, size, 1, true);
    compare(&whole, bytes, size, 2 + size % 31, true);
    compare(&whole, bytes, size, 1 + size % 7, false);
    free(whole.data);
    return 0;
}
