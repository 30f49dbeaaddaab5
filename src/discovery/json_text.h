/*
 * JSON (RFC 8259) of a registry, who may be anybody: a text of a few megabytes that consists of
 * nothing but small values would take a hundred times its size as a tree. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_JSON_TEXT_H
#define ZOMBIE_DISCOVERY_JSON_TEXT_H

#include <stddef.h>

#include <jansson.h>

/* The most values that a text may have, roughly: commas and brackets are counted, wherever. */
#define JSON_TEXT_VALUES_MAX (1 << 17)

/*
 * The tree of a text, a new reference. The flags are those of json_loadb(): with JSON_ALLOW_NUL
 * strings are gone by their lengths, without JSON_DECODE_ANY it has to be an object or an array.
 * Returns NULL for what is none, has too many values, or when memory is short.
 */
json_t *json_text_read(const char *text, size_t len, size_t flags);

#endif
