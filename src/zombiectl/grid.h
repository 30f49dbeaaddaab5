/*
 * A table of text: columns as wide as what is in them, and as narrow as the
 * terminal wants them.
 */
#ifndef ZOMBIE_ZOMBIECTL_GRID_H
#define ZOMBIE_ZOMBIECTL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "zombiectl/canvas.h"

struct grid;

struct grid_column {
    const char *heading;
    bool right;        /* figures stand to the right */
    unsigned yields;   /* where room is short: which column gives way first, from 1; 0: never */
    size_t shrinks_to; /* it gives way by becoming so narrow, then it is left out */
    bool hangs;        /* it gives way by going below: its texts get lines of their own */
};

/* An empty table; columns are borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int grid_new(const struct grid_column *columns,
                                                 size_t n_columns, struct grid **ret_grid);

/* Fill the next cell, row by row, from left to right; the text is copied and made clean. */
void grid_add(struct grid *grid, enum paint paint, const char *text);

/* How wide it is at its narrowest with all its columns, apart from those that may hang. */
size_t grid_width(const struct grid *grid);

/*
 * Draw the headings and all rows that are complete. Where room is short, the gaps
 * give way first, and then the columns in their order; what is too wide even so is
 * cut. Where memory was short for a cell, canvas->out->failed is set.
 */
void grid_draw(const struct grid *grid, struct canvas *canvas);

/* NULL is fine. */
void grid_free(struct grid *grid);

#endif
