#include "config.h"

#include "http/query.h"

#include <errno.h>
#include <string.h>

#include "base/percent.h"

void query_start(struct query_cursor *cursor, const char *query, size_t len, char *buf)
{
    *cursor = (struct query_cursor){.query = query, .len = len, .free = buf};
}

/*
 * Decode one text to the free part of the buffer. A text takes no more bytes
 * than it has here, and its NUL takes the place of the '=', the '&' or the end.
 */
static int take_text(struct query_cursor *cursor, size_t at, size_t len, const char **ret_text,
                     size_t *ret_len)
{
    const char *text = cursor->query + at;
    int err = percent_decode(text, len, true, cursor->free, len + 1, ret_len);
    if (err != 0) {
        cursor->bad_at = at + percent_find_bad(text, len);
        return err;
    }
    *ret_text = cursor->free;
    cursor->free += *ret_len + 1;
    return 0;
}

static int take_pair(struct query_cursor *cursor, size_t at, size_t len,
                     struct query_pair *ret_pair)
{
    struct query_pair pair;
    const char *equals = memchr(cursor->query + at, '=', len);
    size_t key_len = equals != NULL ? (size_t)(equals - cursor->query) - at : len;
    int err = take_text(cursor, at, key_len, &pair.key, &pair.key_len);
    if (err != 0)
        return err;
    pair.value = pair.key + pair.key_len;
    pair.value_len = 0;
    if (equals != NULL)
        err = take_text(cursor, at + key_len + 1, len - key_len - 1, &pair.value, &pair.value_len);
    if (err != 0)
        return err;
    *ret_pair = pair;
    return 1;
}

int query_next(struct query_cursor *cursor, struct query_pair *ret_pair)
{
    while (cursor->at < cursor->len) {
        size_t at = cursor->at;
        const char *end = memchr(cursor->query + at, '&', cursor->len - at);
        size_t len = end != NULL ? (size_t)(end - cursor->query) - at : cursor->len - at;
        cursor->at += len + (end != NULL);
        if (len > 0)
            return take_pair(cursor, at, len, ret_pair);
    }
    return 0;
}
