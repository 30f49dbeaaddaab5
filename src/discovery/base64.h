/*
 * Base64 (RFC 4648 section 4): the alphabet with '+' and '/', padded. The reader is strict: one
 * text for the same bytes, and no other.
 */
#ifndef ZOMBIE_DISCOVERY_BASE64_H
#define ZOMBIE_DISCOVERY_BASE64_H

#include <stddef.h>

/* Returns the text, allocated; NULL: out of memory. */
char *base64_encode(const void *data, size_t len);

/*
 * Read all of a text. Returns 0 and the bytes, allocated, with a NUL beyond them that does not
 * count; or -EINVAL (another character, no whole groups of four, bits or padding where none may be)
 * or -ENOMEM.
 */
__attribute__((warn_unused_result)) int base64_decode(const char *text, size_t len, char **ret_data,
                                                      size_t *ret_len);

#endif
