/*
 * The pairs of a query or a form (application/x-www-form-urlencoded, as the URL
 * standard of the WHATWG reads it), one after the other. Pure functions over
 * text.
 *
 *     char *buf = malloc(len + 1);
 *     struct query_cursor cursor;
 *     struct query_pair pair;
 *     int r;
 *     query_start(&cursor, query, len, buf);
 *     while ((r = query_next(&cursor, &pair)) > 0)
 *         use(pair.key, pair.value);
 *     if (r < 0)
 *         complain("bad escape at byte %zu", cursor.bad_at);
 */
#ifndef ZOMBIE_HTTP_QUERY_H
#define ZOMBIE_HTTP_QUERY_H

#include <stddef.h>

struct query_cursor {
    const char *query;
    size_t len;
    size_t at;     /* where the next pair begins */
    char *free;    /* the part of the buffer that is not used yet */
    size_t bad_at; /* after -EINVAL: the offset in bytes of what is wrong */
};

/* Both texts are decoded and end with NUL; they live in the buffer of query_start(). */
struct query_pair {
    const char *key; /* may be "", may come again */
    size_t key_len;
    const char *value; /* "" for "key=" and for "key" */
    size_t value_len;
};

/*
 * Begin with the first pair of `len` bytes of query, without its '?'. buf has
 * room for len + 1 bytes, does not overlap the query, and holds all pairs at
 * the same time. Nothing is allocated.
 */
void query_start(struct query_cursor *cursor, const char *query, size_t len, char *buf);

/*
 * Take the next pair. '&' separates pairs and ';' is an ordinary byte; '+' is a
 * space; nothing between two '&' is no pair. Returns 1 and fills *ret_pair; 0
 * at the end; -EINVAL for a bad escape or a NUL, encoded or not, and sets
 * cursor->bad_at. Calling again after -EINVAL goes on behind the bad pair.
 */
__attribute__((warn_unused_result)) int query_next(struct query_cursor *cursor,
                                                   struct query_pair *ret_pair);

#endif
