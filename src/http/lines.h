/*
 * The lines of a head, of a request's as of an answer's, read strictly (RFC 9112
 * sections 2.2 and 5): where each one ends, and what makes a header line. Pure.
 */
#ifndef ZOMBIE_HTTP_LINES_H
#define ZOMBIE_HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "http/octets.h"
#include "http/slice.h"

/* What lines_next() returns. */
enum { LINES_MORE = 0, LINES_READY = 1, LINES_BROKEN = -1 };

/* How far a head has been read. All zero is the start. */
struct lines {
    size_t at;      /* offset of the line that is being read */
    size_t scanned; /* offset of the first byte not yet looked at, >= at */
};

/* Why a control byte ends no line, a CR included, which has no LF behind it: a static text. */
const char *lines_control(char byte);

/*
 * Look for the end of the line that is being read. `bytes` is the head from its
 * first byte, `len` what has come of it; no byte is looked at twice. Returns
 * LINES_READY with *ret_line set to the line without its CRLF; LINES_MORE; or
 * LINES_BROKEN with *ret_why set to a static text: a control byte other than
 * HTAB is refused as soon as it is seen, and so are LF and CR alone.
 */
__attribute__((warn_unused_result)) static inline int lines_next(struct lines *lines,
                                                                 const char *bytes, size_t len,
                                                                 struct slice *ret_line,
                                                                 const char **ret_why)
{
    size_t end;

    if (lines->scanned >= len)
        return LINES_MORE;
    end = lines->scanned + octets_text(bytes + lines->scanned, len - lines->scanned);
    lines->scanned = end;
    if (end == len || (bytes[end] == '\r' && end + 1 == len))
        return LINES_MORE;
    if (bytes[end] != '\r' || bytes[end + 1] != '\n') {
        *ret_why = lines_control(bytes[end]);
        return LINES_BROKEN;
    }
    *ret_line = (struct slice){.at = bytes + lines->at, .len = end - lines->at};
    lines->at = end + 2;
    lines->scanned = end + 2;
    return LINES_READY;
}

/*
 * Why a line is no header line, a static text: it is not empty, and the
 * `name_len` bytes of OCTET_TOKEN in front are none, or no colon follows them.
 */
const char *lines_fault(struct slice line, size_t name_len);

/* Take a sound header line apart; the value is trimmed. */
void lines_split(struct slice line, struct slice *ret_name, struct slice *ret_value);

/*
 * Walk over the header lines of a complete head, which are from `first` on; the
 * head ends at `end`, behind its empty line. *cursor is 0 at the start. Returns
 * false behind the last line.
 */
bool lines_next_field(const char *bytes, size_t first, size_t end, size_t *cursor,
                      struct slice *ret_name, struct slice *ret_value);

#endif
