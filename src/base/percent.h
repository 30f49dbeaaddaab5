/*
 * Percent-decoding (RFC 3986 section 2.1), for paths and for queries, and
 * percent-encoding. Pure functions over text.
 */
#ifndef ZOMBIE_BASE_PERCENT_H
#define ZOMBIE_BASE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

struct bytes;

/*
 * Decode len bytes of text into buf, which has room for size bytes (size > 0)
 * and does not overlap it, and end them with NUL. plus_is_space is for
 * application/x-www-form-urlencoded. Returns 0 and sets *ret_len to the length
 * without the NUL; -EINVAL for a '%' without two hexadecimal digits and for a
 * NUL, encoded or not; -ENOSPC when it does not fit. On failure buf is
 * undefined and *ret_len untouched.
 */
__attribute__((warn_unused_result)) int percent_decode(const char *text, size_t len,
                                                       bool plus_is_space, char *buf, size_t size,
                                                       size_t *ret_len);

/* Offset in bytes of what makes percent_decode() return -EINVAL; len when nothing does. */
size_t percent_find_bad(const char *text, size_t len);

/*
 * Add `text` to bytes, so that it is one segment of a path, or a value in a query: all but
 * letters, digits and "-._~" (RFC 3986 section 2.3) become %XX.
 */
void percent_encode(const char *text, struct bytes *bytes);

#endif
