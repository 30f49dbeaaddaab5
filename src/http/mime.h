/*
 * Media types (RFC 9110 section 8.3.1) of files, by the extension of their
 * names: what goes into Content-Type. Pure functions over a table.
 */
#ifndef ZOMBIE_HTTP_MIME_H
#define ZOMBIE_HTTP_MIME_H

#include <stddef.h>

/* What files are of whose extension nobody knows. */
#define MIME_DEFAULT "application/octet-stream"

/* An extension from the configuration. */
struct mime_extra {
    const char *extension; /* without its dot; any case */
    const char *type;      /* given out as it is, so with its charset */
};

/*
 * The media type of a path by what follows the last dot in its last segment, in
 * any case; MIME_DEFAULT for an unknown extension and for none. The types text/...
 * come with "; charset=utf-8"; those of JSON (RFC 8259 section 11) and of XML, which
 * tells its own encoding, do not. The text is static.
 */
const char *mime_type_of(const char *path);

/*
 * The same, but n extensions of the configuration come first, and the first of
 * equal ones counts. The text is static or the one in extra[].
 */
const char *mime_lookup(const struct mime_extra *extra, size_t n, const char *path);

#endif
