#include "config.h"

#include "zombiectl/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "zombiectl/visible.h"

/* Blanks between two columns, and where room is short. */
#define GAP       2
#define SMALL_GAP 1

/* What stands at the end of a text that was cut, if there is room for anything before it. */
#define CUT_MARK "..."

struct cell {
    struct bytes text;
    enum paint paint;
};

struct grid {
    const struct grid_column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells;
    bool failed;
};

/* How wide each column is drawn; one that is left out has LEFT_OUT. */
#define LEFT_OUT ((size_t)-1)

struct layout {
    size_t *widths;
    size_t gap;
};

int grid_new(const struct grid_column *columns, size_t n_columns, struct grid **ret_grid)
{
    struct grid *grid = calloc(1, sizeof(*grid));

    if (grid == NULL)
        return -ENOMEM;
    grid->columns = columns;
    grid->n_columns = n_columns;
    *ret_grid = grid;
    return 0;
}

void grid_add(struct grid *grid, enum paint paint, const char *text)
{
    struct cell *cells = reallocarray(grid->cells, grid->n_cells + 1, sizeof(*cells));

    if (cells == NULL) {
        grid->failed = true;
        return;
    }
    grid->cells = cells;
    cells[grid->n_cells] = (struct cell){.paint = paint};
    visible_clean(&cells[grid->n_cells].text, VISIBLE_LINE, text);
    bytes_add(&cells[grid->n_cells].text, "", 0);
    grid->failed |= cells[grid->n_cells].text.failed;
    grid->n_cells++;
}

static size_t natural_width(const struct grid *grid, size_t column)
{
    size_t widest =
        visible_width(grid->columns[column].heading, strlen(grid->columns[column].heading));

    for (size_t i = column; i < grid->n_cells; i += grid->n_columns) {
        size_t width = visible_width(grid->cells[i].text.at, grid->cells[i].text.len);

        if (width > widest)
            widest = width;
    }
    return widest;
}

static size_t total_width(const struct layout *layout, size_t n)
{
    size_t total = 0;

    for (size_t i = 0; i < n; i++)
        if (layout->widths[i] != LEFT_OUT)
            total += layout->widths[i] + (total > 0 ? layout->gap : 0);
    return total;
}

/*
 * The gaps give first; then the columns, from the last on, as much as is too
 * much; one that cannot give that goes.
 */
static void make_room(const struct grid *grid, size_t width, struct layout *layout)
{
    size_t *widths = layout->widths;

    if (total_width(layout, grid->n_columns) > width)
        layout->gap = SMALL_GAP;
    for (size_t i = grid->n_columns; i-- > 0;) {
        size_t total = total_width(layout, grid->n_columns);

        if (total <= width)
            return;
        if (grid->columns[i].shrinks_to == 0)
            continue;
        if (widths[i] >= total - width + grid->columns[i].shrinks_to)
            widths[i] -= total - width;
        else
            widths[i] = LEFT_OUT;
    }
}

static void draw_cut(struct canvas *canvas, const struct cell *cell, size_t width)
{
    size_t mark = width > 2 * strlen(CUT_MARK) ? strlen(CUT_MARK) : 0;
    struct bytes text = {0};

    bytes_add(&text, cell->text.at, visible_fit(cell->text.at, cell->text.len, width - mark));
    bytes_add(&text, CUT_MARK, mark);
    if (text.failed)
        canvas->out->failed = true;
    else
        canvas_put(canvas, cell->paint, text.at);
    bytes_free(&text);
}

static void draw_cell(struct canvas *canvas, const struct cell *cell, size_t start, size_t width,
                      bool right)
{
    size_t needs = visible_width(cell->text.at, cell->text.len);

    if (cell->text.len == 0)
        return;
    canvas_move(canvas, right && needs < width ? start + width - needs : start);
    if (needs > width)
        draw_cut(canvas, cell, width);
    else
        canvas_put(canvas, cell->paint, cell->text.at);
}

static void draw_row(const struct grid *grid, struct canvas *canvas, const struct cell *cells,
                     const struct layout *layout)
{
    size_t start = 0;

    for (size_t i = 0; i < grid->n_columns; i++) {
        if (layout->widths[i] == LEFT_OUT)
            continue;
        draw_cell(canvas, &cells[i], start, layout->widths[i], grid->columns[i].right);
        start += layout->widths[i] + layout->gap;
    }
    canvas_end_line(canvas);
}

static void draw_headings(const struct grid *grid, struct canvas *canvas, struct cell *cells,
                          const struct layout *layout)
{
    for (size_t i = 0; i < grid->n_columns; i++) {
        cells[i] = (struct cell){.paint = PAINT_BOLD};
        bytes_add_text(&cells[i].text, grid->columns[i].heading);
        canvas->out->failed |= cells[i].text.failed;
    }
    draw_row(grid, canvas, cells, layout);
    for (size_t i = 0; i < grid->n_columns; i++)
        bytes_free(&cells[i].text);
}

void grid_draw(const struct grid *grid, struct canvas *canvas)
{
    struct layout layout = {calloc(grid->n_columns, sizeof(size_t)), GAP};
    struct cell *headings = calloc(grid->n_columns, sizeof(*headings));

    if (layout.widths != NULL && headings != NULL && !grid->failed) {
        for (size_t i = 0; i < grid->n_columns; i++)
            layout.widths[i] = natural_width(grid, i);
        if (canvas->width > 0)
            make_room(grid, canvas->width, &layout);
        draw_headings(grid, canvas, headings, &layout);
        for (size_t i = 0; i + grid->n_columns <= grid->n_cells; i += grid->n_columns)
            draw_row(grid, canvas, &grid->cells[i], &layout);
    } else {
        canvas->out->failed = true;
    }
    free(headings);
    free(layout.widths);
}

void grid_free(struct grid *grid)
{
    if (grid == NULL)
        return;
    for (size_t i = 0; i < grid->n_cells; i++)
        bytes_free(&grid->cells[i].text);
    free(grid->cells);
    free(grid);
}
