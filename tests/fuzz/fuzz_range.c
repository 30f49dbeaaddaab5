/*
 * Range from anybody: the first byte is the size of the content, or one less
 * than the largest size for 255; the rest is the field. What comes out lies
 * within the content, does not touch itself, and says the same once more.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_ranges(const struct range *ranges, size_t n, uint64_t content)
{
    for (size_t i = 0; i < n; i++) {
        check(ranges[i].len > 0 && ranges[i].len <= content);
        check(ranges[i].offset <= content - ranges[i].len);
        for (size_t k = 0; k < i; k++)
            check(ranges[i].offset + ranges[i].len < ranges[k].offset ||
                  ranges[k].offset + ranges[k].len < ranges[i].offset);
    }
}

/* Write the ranges as a field again, one that reaches the end perhaps as a suffix. */
static void check_again(const struct range *ranges, size_t n, uint64_t content)
{
    struct range again[RANGE_MAX];
    size_t n_again = 0;
    char header[RANGE_MAX * 48] = "bytes=";

    for (size_t i = 0; i < n; i++) {
        uint64_t end = ranges[i].offset + ranges[i].len;
        char *at = header + strlen(header);
        size_t room = (size_t)(header + sizeof(header) - at);

        if (end == content && i % 2 == 0)
            (void)snprintf(at, room, ", -%" PRIu64, ranges[i].len);
        else
            (void)snprintf(at, room, ",%" PRIu64 "-%" PRIu64, ranges[i].offset, end - 1);
    }
    check(range_parse(header, content, again, RANGE_MAX, &n_again) == 0 && n_again == n);
    check(memcmp(again, ranges, n * sizeof(ranges[0])) == 0);
}

static void ask(const char *header, uint64_t content, size_t max)
{
    struct range *ranges = malloc((max > 0 ? max : 1) * sizeof(*ranges));
    size_t n = 0;
    int r;

    check(ranges != NULL);
    r = range_parse(header, content, ranges, max, &n);
    check(r == 0 || r == -EINVAL || r == -ERANGE);
    check((r == 0) == (n > 0) && n <= max);
    check_ranges(ranges, n, content);
    if (n > 0)
        check_again(ranges, n, content);
    free(ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header;
    uint64_t content;

    if (size == 0)
        return 0;
    content = data[0] == 255 ? UINT64_MAX - 1 : data[0];
    header = malloc(size);
    check(header != NULL);
    memcpy(header, data + 1, size - 1);
    header[size - 1] = '\0';
    ask(header, content, RANGE_MAX);
    ask(header, content, 2);
    ask(header, content, 0);
    free(header);
    return 0;
}
