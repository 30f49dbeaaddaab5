/*
 * Request targets and queries from anybody. Each buffer is a block of its own
 * size, so that a sanitizer sees every byte past its end.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* The value in a buffer of that size; returns its length, or -errno. */
static long value_len(const char *query, const char *key, size_t size)
{
    char *value = malloc(size);
    int err;
    long len;

    check(value != NULL);
    err = target_query_value(query, key, value, size);
    len = err == 0 ? (long)strlen(value) : err;
    check(len < (long)size);
    free(value);
    return len;
}

/* With room for anything, only the query decides; with less, the room decides too. */
static void ask(const char *query, const char *key)
{
    long len = value_len(query, key, strlen(query) + 1);

    check(len >= 0 || len == -ENOENT || len == -EINVAL);
    for (size_t size = 1; size <= 17; size += 8) {
        long cut = value_len(query, key, size);

        check(len < 0 || cut == (len < (long)size ? len : -ENOSPC));
        check(len >= 0 || cut == len || (len == -EINVAL && cut == -ENOSPC));
    }
}

static void ask_all(const char *query)
{
    ask(query, "a");
    ask(query, "mode");
    ask(query, "after_ms");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    ask_all(text);
    if (target_parse(text, &target) == 0) {
        check(target.path[0] == '/' && strlen(target.path) <= size + 1);
        check(strlen(target.query) <= size && strchr(target.query, '#') == NULL);
        ask_all(target.query);
        target_clear(&target);
    }
    free(text);
    return 0;
}
