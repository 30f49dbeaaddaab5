/*
 * Lines of painted text, none wider than the terminal.
 */
#ifndef ZOMBIE_ZOMBIECTL_CANVAS_H
#define ZOMBIE_ZOMBIECTL_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

struct bytes;

enum paint {
    PAINT_NONE,
    PAINT_BOLD,
    PAINT_DIM,
    PAINT_GOOD,
    PAINT_WARN,
    PAINT_BAD,
};

struct canvas {
    struct bytes *out;
    size_t width;  /* in columns; 0: as wide as it gets */
    bool colour;   /* paint by SGR sequences (ECMA-48); else not at all */
    size_t column; /* where the next text begins, from 0 */
};

/* Add a text, made clean by visible_clean(); what is beyond the width is left out. */
void canvas_put(struct canvas *canvas, enum paint paint, const char *text);

/* The same from a format, of at most 255 bytes. */
__attribute__((format(printf, 3, 4))) void canvas_print(struct canvas *canvas, enum paint paint,
                                                        const char *format, ...);

/*
 * Add a text, made clean likewise, that goes on in the next line, indented, where it
 * does not fit: all of it or, if it is longer than a line, between two words. The last
 * column stays free for a mark that canvas_put() adds.
 */
void canvas_flow(struct canvas *canvas, enum paint paint, const char *text);

/* Go on to that column by blanks, if the line is not there yet. */
void canvas_move(struct canvas *canvas, size_t column);

/* End the line. */
void canvas_end_line(struct canvas *canvas);

#endif
