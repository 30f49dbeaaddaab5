/*
 * The table of media types that mime.c searches; nothing else needs it.
 */
#ifndef ZOMBIE_HTTP_MIME_TYPES_H
#define ZOMBIE_HTTP_MIME_TYPES_H

#include <stddef.h>

struct mime_type {
    const char *extension; /* lower case, without its dot */
    const char *type;
};

/* Sorted by extension, as strcmp(3) does. */
extern const struct mime_type mime_types[];
extern const size_t mime_n_types;

#endif
