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

/* How wide each column is drawn, if it has a place beside the others. */
#define LEFT_OUT ((size_t)-1)
#define BELOW    ((size_t)-2)

static bool has_place(size_t width)
{
    return width < BELOW;
}

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
        if (has_place(layout->widths[i]))
            total += layout->widths[i] + (total > 0 ? layout->gap : 0);
    return total;
}

/* The column that gives way at that turn; n_columns: there is none. */
static size_t find_turn(const struct grid *grid, unsigned turn)
{
    size_t i = 0;

    while (i < grid->n_columns && grid->columns[i].yields != turn)
        i++;
    return i;
}

/* The gaps give way first; then each column in its turn, as much as is too much. */
static void make_room(const struct grid *grid, size_t width, struct layout *layout)
{
    size_t total = total_width(layout, grid->n_columns);
    size_t i;

    if (total > width)
        layout->gap = SMALL_GAP;
    for (unsigned turn = 1; (i = find_turn(grid, turn)) < grid->n_columns; turn++) {
        const struct grid_column *column = &grid->columns[i];

        total = total_width(layout, grid->n_columns);
        if (total <= width)
            return;
        if (column->hangs)
            layout->widths[i] = BELOW;
        else if (column->shrinks_to > 0 && layout->widths[i] >= total - width + column->shrinks_to)
            layout->widths[i] -= total - width;
        else
            layout->widths[i] = LEFT_OUT;
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
        if (!has_place(layout->widths[i]))
            continue;
        draw_cell(canvas, &cells[i], start, layout->widths[i], grid->columns[i].right);
        start += layout->widths[i] + layout->gap;
    }
    canvas_end_line(canvas);
}

/* What had no place in its row: on a line each, under the second column, behind its heading. */
static void draw_below(const struct grid *grid, struct canvas *canvas, const struct cell *cells,
                       const struct layout *layout)
{
    for (size_t i = 0; i < grid->n_columns; i++) {
        if (layout->widths[i] != BELOW || cells[i].text.len == 0)
            continue;
        canvas_move(canvas, layout->widths[0] + layout->gap);
        canvas_put(canvas, PAINT_BOLD, grid->columns[i].heading);
        canvas_put(canvas, PAINT_NONE, " ");
        if (canvas->column < canvas->width)
            draw_cell(canvas, &cells[i], canvas->column, canvas->width - canvas->column, false);
        canvas_end_line(canvas);
    }
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

size_t grid_width(const struct grid *grid)
{
    size_t width = 0;

    for (size_t i = 0; i < grid->n_columns; i++)
        if (!grid->columns[i].hangs)
            width += natural_width(grid, i) + (width > 0 ? SMALL_GAP : 0);
    return width;
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
        for (size_t i = 0; i + grid->n_columns <= grid->n_cells; i += grid->n_columns) {
            draw_row(grid, canvas, &grid->cells[i], &layout);
            draw_below(grid, canvas, &grid->cells[i], &layout);
        }
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
