/*
 * What people and programs read: results on standard output, errors and
 * progress on standard error. Texts are made clean by visible_clean() first,
 * wherever they come from.
 */
#ifndef ZOMBIE_ZOMBIECTL_SAY_H
#define ZOMBIE_ZOMBIECTL_SAY_H

#include <stdbool.h>

#include <jansson.h>

struct bytes;

/* A line on standard error, after the program's name. */
__attribute__((format(printf, 1, 2))) void say_error(const char *format, ...);

/*
 * How far something is, on standard error: with in_place on the line of the one
 * before, which goes when anything else is said; otherwise on a line of its own.
 */
__attribute__((format(printf, 2, 3))) void say_progress(bool in_place, const char *format, ...);

/* Take the progress from the screen. */
void say_no_progress(void);

/* A text of one or more lines on standard output. */
void say_text(const char *text);

/* A JSON value on one line of standard output, in ASCII (RFC 8259). */
void say_json(const json_t *value);

/*
 * What a canvas has drawn, on standard output, as it is. False, and has said
 * why, when memory was short for it.
 */
__attribute__((warn_unused_result)) bool say_drawn(const struct bytes *drawn);

/*
 * Make sure that all of it has been written. False when it could not be, and has
 * said why unless the reader has simply gone away.
 */
__attribute__((warn_unused_result)) bool say_flush(void);

#endif
