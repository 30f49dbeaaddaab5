/*
 * Text as a terminal shows it: without anything that steers the terminal, and
 * measured in columns.
 */
#ifndef ZOMBIE_ZOMBIECTL_VISIBLE_H
#define ZOMBIE_ZOMBIECTL_VISIBLE_H

#include <stddef.h>

struct bytes;

/* Whether a text is one line, or may consist of several. */
enum visible_shape { VISIBLE_LINE, VISIBLE_LINES };

/*
 * Add `text` to out so that it can do nothing but be read: control characters
 * (C0, DEL, C1), marks that change the direction of writing, and bytes that are
 * not UTF-8 (RFC 3629) become \n, \t or \xNN. With VISIBLE_LINES, newlines and
 * tabs stay. Backslashes stay, too: log lines are escaped already.
 */
void visible_clean(struct bytes *out, enum visible_shape shape, const char *text);

/*
 * How many columns the first len bytes of a clean text take. Wide characters
 * count 2 and combining ones 0, if the locale's character set is UTF-8;
 * otherwise each counts 1.
 */
size_t visible_width(const char *text, size_t len);

/* How many bytes of a clean text fit into so many columns, whole characters only. */
size_t visible_fit(const char *text, size_t len, size_t columns);

#endif
