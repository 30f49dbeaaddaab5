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
    size_t shrinks_to; /* where room is short: so narrow, then left out; 0: stays as it is */
};

/* An empty table; columns are borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int grid_new(const struct grid_column *columns,
                                                 size_t n_columns, struct grid **ret_grid);

/* Fill the next cell, row by row, from left to right; the text is copied and made clean. */
void grid_add(struct grid *grid, enum paint paint, const char *text);

/*
 * Draw the headings and all rows that are complete. Room is made from the last
 * column that shrinks to the first; what is too wide even so is cut. Where
 * memory was short for a cell, canvas->out->failed is set.
 */
void grid_draw(const struct grid *grid, struct canvas *canvas);

/* NULL is fine. */
void grid_free(struct grid *grid);

#endif
