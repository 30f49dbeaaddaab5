#include "config.h"

#include "zombiectl/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "zombiectl/visible.h"

/* Where a line begins that goes on with the one before. */
#define INDENT 2

static const char *const sequences[] = {
    [PAINT_NONE] = "",         [PAINT_BOLD] = "\033[1m",  [PAINT_DIM] = "\033[2m",
    [PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m",
};

static void put_clean(struct canvas *canvas, enum paint paint, const char *text, size_t len)
{
    bool painted = canvas->colour && paint != PAINT_NONE;

    if (len == 0)
        return;
    if (painted)
        bytes_add_text(canvas->out, sequences[paint]);
    bytes_add(canvas->out, text, len);
    if (painted)
        bytes_add_text(canvas->out, "\033[0m");
    canvas->column += visible_width(text, len);
}

void canvas_put(struct canvas *canvas, enum paint paint, const char *text)
{
    struct bytes clean = {0};
    size_t fits;

    visible_clean(&clean, VISIBLE_LINE, text);
    fits = clean.len;
    if (canvas->width > 0)
        fits = visible_fit(clean.at, clean.len, canvas->width - canvas->column);
    put_clean(canvas, paint, clean.at, fits);
    if (fits < clean.len)
        canvas->column = canvas->width; /* nothing may follow what was cut */
    if (clean.failed)
        canvas->out->failed = true;
    bytes_free(&clean);
}

/*
 * How much of a text of which so much fits is to stand in this line: nothing if all
 * of it fits into the next one, else whole words; a word that is longer than a line
 * ends where that does.
 */
static size_t find_break(const struct canvas *canvas, const char *text, size_t len, size_t fits)
{
    size_t at = fits;

    if (canvas->column > INDENT && visible_width(text, len) < canvas->width - INDENT)
        return 0;
    while (at > 0 && text[at] != ' ')
        at--;
    return at == 0 && canvas->column <= INDENT ? fits : at;
}

void canvas_flow(struct canvas *canvas, enum paint paint, const char *text)
{
    struct bytes clean = {0};
    const char *at;
    size_t len, n;

    visible_clean(&clean, VISIBLE_LINE, text);
    at = clean.at;
    for (len = clean.len; len > 0; len -= n, at += n) {
        size_t room = canvas->width > canvas->column ? canvas->width - canvas->column - 1 : 0;

        n = canvas->width > 0 ? visible_fit(at, len, room) : len;
        if (n < len)
            n = find_break(canvas, at, len, n);
        if (n == 0 && canvas->column <= INDENT)
            break; /* no line has room for it */
        put_clean(canvas, paint, at, n);
        if (n == len)
            break;
        canvas_end_line(canvas);
        canvas_move(canvas, INDENT);
        n += at[n] == ' ';
    }
    canvas->out->failed |= clean.failed;
    bytes_free(&clean);
}

void canvas_print(struct canvas *canvas, enum paint paint, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    canvas_put(canvas, paint, text);
}

void canvas_move(struct canvas *canvas, size_t column)
{
    while (canvas->column < column && (canvas->width == 0 || canvas->column < canvas->width)) {
        bytes_add(canvas->out, " ", 1);
        canvas->column++;
    }
}

void canvas_end_line(struct canvas *canvas)
{
    bytes_add(canvas->out, "\n", 1);
    canvas->column = 0;
}
