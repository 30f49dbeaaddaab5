/*
 * The request line of a head (RFC 9112 section 3). For http/head.c alone.
 */
#ifndef ZOMBIE_HTTP_HEAD_LINE_H
#define ZOMBIE_HTTP_HEAD_LINE_H

#include <stddef.h>

#include "http/head.h"
#include "http/slice.h"

/*
 * Judge a complete request line, which lies within `bytes`, is without its CRLF
 * and has no control byte but HTAB. Sets the verb, the minor version and the
 * spans of method, target and, for the absolute form, authority. Returns 0, or
 * the status to refuse with after head_refuse().
 */
__attribute__((warn_unused_result)) int head_line_read(struct head *head, size_t uri_max,
                                                       const char *bytes, struct slice line);

#endif
