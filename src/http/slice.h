/*
 * A piece of someone else's text: not owned, not ended by NUL.
 */
#ifndef ZOMBIE_HTTP_SLICE_H
#define ZOMBIE_HTTP_SLICE_H

#include <stddef.h>

struct slice {
    const char *at; /* NULL only when len is 0 */
    size_t len;     /* bytes */
};

#endif
