/*
 * How partial content is written: Content-Range (RFC 9110 section 14.4) and
 * multipart/byteranges (section 14.6).
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_RANGES_H
#define ZOMBIE_HTTP_HANDLERS_FILES_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "http/handlers/files_types.h"
#include "http/range.h"
#include "http/reply.h"

/* Room for "bytes A-B/C", terminating NUL included. */
#define FILES_RANGE_SIZE 70

/* Write the Content-Range of a range of a file of `size` bytes. */
void files_range_format(const struct range *range, uint64_t size, char buf[FILES_RANGE_SIZE]);

/* Write that of a 416: "bytes *" and the size. */
void files_range_format_none(uint64_t size, char buf[FILES_RANGE_SIZE]);

/* Bytes of the boundary, without NUL. */
#define FILES_BOUNDARY_LEN 24

/* A body of several parts; `parts` point into it, so it stays where it is. */
struct files_multipart {
    char type[40 + FILES_BOUNDARY_LEN]; /* the Content-Type of the whole */
    struct reply_part parts[RANGE_MAX + 1];
    size_t n;
    char texts[RANGE_MAX + 1][FILES_TYPE_MAX + FILES_RANGE_SIZE + FILES_BOUNDARY_LEN + 48];
};

/*
 * Fill it for n ranges, 1..RANGE_MAX, of a file of that size and type. The
 * boundary is random, so nobody can put it into a file beforehand.
 */
void files_multipart_make(struct files_multipart *multipart, const char *type,
                          const struct range *ranges, size_t n, uint64_t size);

#endif
