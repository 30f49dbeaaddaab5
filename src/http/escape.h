/*
 * Texts in the syntax of HTML and of URIs. Each comes in two forms: into a
 * buffer as snprintf(3) does, and into a block of its own.
 */
#ifndef ZOMBIE_HTTP_ESCAPE_H
#define ZOMBIE_HTTP_ESCAPE_H

#include <stddef.h>

/*
 * Write `text` for HTML, as content or between quotes as an attribute's value:
 * & < > " ' become character references, all other bytes stay. Returns the
 * length in bytes of the whole result without its NUL. buf (size bytes, may be
 * NULL if size is 0) gets what fits, always ended with NUL, and never a part of
 * a reference; the result is complete if it is shorter than size.
 */
size_t escape_html(const char *text, char *buf, size_t size);

/* The same in a block that the caller frees; NULL when memory is short. */
char *escape_html_dup(const char *text);

/*
 * Write a decoded path for a URI: the bytes of pchar (RFC 3986 section 3.3) and
 * '/' stay, all others, UTF-8 too, become %XX. Result and buf as for
 * escape_html().
 *
 * The caller sees to what percent-encoding does not: a relative path whose
 * first segment has a ':' needs "./" in front, a path that begins with "//"
 * names a host, and in HTML the result still goes through escape_html() ('&'
 * and the apostrophe are in pchar).
 */
size_t escape_path(const char *path, char *buf, size_t size);

/* The same in a block that the caller frees; NULL when memory is short. */
char *escape_path_dup(const char *path);

#endif
