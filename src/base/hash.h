/*
 * A hash for tables and for telling texts apart; not for secrets: FNV-1a (RFC 9923).
 */
#ifndef ZOMBIE_BASE_HASH_H
#define ZOMBIE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The state to begin with. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Go on with so many bytes; returns the state, which is the hash of all bytes so far. */
uint64_t hash_bytes(uint64_t state, const void *bytes, size_t len);

/* The same for a text and its end: "ab" and "c" are not "a" and "bc". */
uint64_t hash_text(uint64_t state, const char *text);

#endif
