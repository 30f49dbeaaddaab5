/*
 * The header lines of a head (RFC 9112 section 5), and the meaning of those that
 * a connection depends on. For http/head.c alone.
 */
#ifndef ZOMBIE_HTTP_HEAD_FIELD_H
#define ZOMBIE_HTTP_HEAD_FIELD_H

#include <stdbool.h>

#include "http/head.h"
#include "http/slice.h"

/* Keep why a request is refused; returns the status. */
static inline int head_refuse(struct head *head, int status, const char *why)
{
    head->why = why;
    return status;
}

/*
 * Judge a complete header line, which lies within `bytes`, is without its CRLF,
 * not empty, and has no control byte but HTAB; take from it what it says about
 * host, body and connection. Returns 0, or the status to refuse with after
 * head_refuse().
 */
__attribute__((warn_unused_result)) int head_field_read(struct head *head, const char *bytes,
                                                        struct slice line);

#endif
