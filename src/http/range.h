/*
 * Byte ranges (RFC 9110 section 14): which parts of an answer a request wants.
 * Pure functions over the value of the header field.
 */
#ifndef ZOMBIE_HTTP_RANGE_H
#define ZOMBIE_HTTP_RANGE_H

#include <stddef.h>
#include <stdint.h>

/* As many ranges as a request may sensibly ask for; room for range_parse(). */
#define RANGE_MAX 16

/* offset + len never exceeds the size that was given; len > 0. */
struct range {
    uint64_t offset; /* in bytes */
    uint64_t len;    /* in bytes */
};

/*
 * Read the Range field of a GET request for `size` bytes of content into at
 * most `max` ranges. Those that overlap or touch become one, in the place of
 * the first of them; else they keep the order of the request (RFC 9110 section
 * 15.3.7.2). Ranges that are not satisfiable are left out.
 *
 * Returns 0 and fills ranges[0..*ret_n - 1], *ret_n > 0: answer 206.
 * -ERANGE: none is satisfiable; answer 416 with the size in Content-Range (section 14.4).
 * -EINVAL: ignore the field and answer 200 with all of the content. That is for
 * another unit, for malformed fields (section 14.2 leaves the choice; Go's
 * ServeContent and nginx answer 416), for more than max ranges (as nginx with
 * max_ranges; Go has no limit), for ranges that make more bytes than there are
 * (as both), and for empty content (as Go; nginx answers 416).
 * On failure ranges[] is undefined and *ret_n untouched.
 */
__attribute__((warn_unused_result)) int
range_parse(const char *header, uint64_t size, struct range *ranges, size_t max, size_t *ret_n);

#endif
