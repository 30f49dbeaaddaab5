/*
 * Queries from anybody. Query and buffer are blocks of exactly the promised
 * sizes, so that a sanitizer sees every byte past them; good pairs, written
 * again with everything escaped, are the same pairs.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* A copy without a NUL at its end. */
static char *copy(const void *data, size_t size)
{
    char *block = malloc(size > 0 ? size : 1);

    check(block != NULL);
    if (size > 0)
        memcpy(block, data, size);
    return block;
}

static char *put_escaped(char *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to += sprintf(to, "%%%02x", (unsigned char)text[i]);
    return to;
}

/* Write the good pairs of a query into `again`; returns where they end. */
static char *rewrite(const char *query, size_t size, char *again)
{
    char *buf = malloc(size + 1);
    struct query_cursor cursor;
    struct query_pair pair;
    int r;

    check(buf != NULL);
    query_start(&cursor, query, size, buf);
    while ((r = query_next(&cursor, &pair)) != 0) {
        check(r == 1 || r == -EINVAL);
        if (r < 0) {
            check(cursor.bad_at < size);
            check(query[cursor.bad_at] == '%' || query[cursor.bad_at] == '\0');
            continue;
        }
        check(strlen(pair.key) == pair.key_len && strlen(pair.value) == pair.value_len);
        again = put_escaped(again, pair.key, pair.key_len);
        *again++ = '=';
        again = put_escaped(again, pair.value, pair.value_len);
        *again++ = '&';
    }
    check(cursor.at == size && cursor.free <= buf + size + 1);
    free(buf);
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *query = copy(data, size);
    char *once = malloc(3 * size + 2);
    char *twice = malloc(3 * size + 2);
    size_t once_len;

    check(once != NULL && twice != NULL);
    once_len = (size_t)(rewrite(query, size, once) - once);
    check((size_t)(rewrite(once, once_len, twice) - twice) == once_len);
    check(memcmp(once, twice, once_len) == 0);
    free(query);
    free(once);
    free(twice);
    return 0;
}
