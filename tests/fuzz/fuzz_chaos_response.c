/*
 * Fuzz target: what a server sends, read as an answer. However the bytes are cut
 * the outcome is the same, and an answer that is whole ends where it says.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zombiectl/chaos_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* A copy, so that a read beyond what has come is seen. */
static enum chaos_reading feed(struct chaos_response *response, const uint8_t *data, size_t len,
                               size_t *at)
{
    char *bytes = malloc(len);
    size_t consumed = SIZE_MAX;
    enum chaos_reading reading;

    check(bytes != NULL);
    memcpy(bytes, data, len);
    reading = chaos_response_feed(response, bytes, len, &consumed);
    check(consumed <= len && (consumed == len || reading != CHAOS_MORE));
    free(bytes);
    *at += consumed;
    return reading;
}

/* Feed in pieces of `step` bytes; returns how many were consumed. */
static size_t read_all(struct chaos_response *response, const uint8_t *data, size_t size,
                       size_t step)
{
    size_t at = 0;
    enum chaos_reading reading = CHAOS_MORE;

    chaos_response_init(response);
    while (at < size && reading == CHAOS_MORE)
        reading = feed(response, data + at, size - at < step ? size - at : step, &at);
    check(reading == response->outcome);
    return at;
}

static void check_final(struct chaos_response *response, const uint8_t *data, size_t size)
{
    enum chaos_reading reading = response->outcome;
    size_t at = 0;

    if (reading != CHAOS_MORE && size > 0)
        check(feed(response, data, size, &at) == reading && at == 0);
    check((reading == CHAOS_BAD) == (response->why != NULL));
}

static void check_whole(const struct chaos_response *response, size_t size, size_t consumed)
{
    check(response->status >= 200 && response->status <= 599);
    check(response->content < consumed && consumed <= size);
    check(response->head <= CHAOS_HEAD_MAX);
}

static void compare(const struct chaos_response *whole, const uint8_t *data, size_t size,
                    size_t consumed, size_t step)
{
    static struct chaos_response response;
    size_t at = read_all(&response, data, size, step);
    enum chaos_reading end = chaos_response_end(&response);

    check(end == whole->outcome && response.why == whole->why);
    check(end == CHAOS_BAD || at == consumed);
    check(response.status == whole->status || end == CHAOS_BAD);
    check(response.content == whole->content && response.keeps_alive == whole->keeps_alive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct chaos_response whole;
    size_t consumed = read_all(&whole, data, size, size > 0 ? size : 1);

    check_final(&whole, data, size);
    if (chaos_response_end(&whole) == CHAOS_WHOLE)
        check_whole(&whole, size, consumed);
    compare(&whole, data, size, consumed, 1);
    compare(&whole, data, size, consumed, 2 + size % 31);
    return 0;
}
