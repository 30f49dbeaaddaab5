/*
 * The request target (RFC 9112 section 3.2): its path, percent-decoded once,
 * and its query. Pure functions over text.
 */
#ifndef ZOMBIE_HTTP_TARGET_H
#define ZOMBIE_HTTP_TARGET_H

#include <stddef.h>

struct target {
    char *path;  /* decoded, begins with '/'; allocated */
    char *query; /* what follows '?', still encoded; "" without one; points into `path`'s block */
};

/*
 * Take a target in origin form ("/a%20b?x=1") or absolute form
 * ("http://host/a") apart. Returns 0 and fills *ret_target, to be freed with
 * target_clear(); -EINVAL for any other form, a bad percent escape or an
 * encoded NUL; -ENOMEM.
 */
__attribute__((warn_unused_result)) int target_parse(const char *text, struct target *ret_target);

/* Free what target_parse() allocated. */
void target_clear(struct target *target);

/*
 * The first value of `key` in a query (application/x-www-form-urlencoded: '+'
 * is a space), decoded into buf of size bytes. Returns 0; -ENOENT when the key
 * is not there; -EINVAL for a bad escape or an encoded NUL; -ENOSPC when the
 * value does not fit.
 */
__attribute__((warn_unused_result)) int target_query_value(const char *query, const char *key,
                                                           char *buf, size_t size);

#endif
