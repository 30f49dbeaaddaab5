/*
 * The questions that whoever prints foreign bytes must ask: is this UTF-8, and can it be printed?
 */
#ifndef ZOMBIE_BASE_UTF8_H
#define ZOMBIE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Length in bytes (1 to 4) of the UTF-8 sequence (RFC 3629 section 4) that
 * `text` starts with, or 0 when its first bytes are none: an overlong form, a
 * surrogate, a stray continuation. Reads at most `len` bytes; len >= 1.
 */
size_t utf8_sequence_length(const char *text, size_t len);

/*
 * Whether so many bytes are UTF-8 without control characters of ASCII: they can go
 * into lines, header fields and keys of others.
 */
bool utf8_is_printable(const char *text, size_t len);

#endif
