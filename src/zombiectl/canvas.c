#include "config.h"

#include "zombiectl/canvas.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"
#include "zombiectl/visible.h"

static const char *const sequences[] = {
    [PAINT_NONE] = "",         [PAINT_BOLD] = "\033[1m",  [PAINT_DIM] = "\033[2m",
    [PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m",
};

static void put_clean(struct canvas *canvas, enum paint paint, const struct bytes *text)
{
    bool painted = canvas->colour && paint != PAINT_NONE;
    size_t len = text->len;

    if (canvas->width > 0)
        len = visible_fit(text->at, len, canvas->width - canvas->column);
    if (len == 0)
        return;
    if (painted)
        bytes_add_text(canvas->out, sequences[paint]);
    bytes_add(canvas->out, text->at, len);
    if (painted)
        bytes_add_text(canvas->out, "\033[0m");
    canvas->column += visible_width(text->at, len);
    if (len < text->len)
        canvas->column = canvas->width; /* nothing may follow what was cut */
}

void canvas_put(struct canvas *canvas, enum paint paint, const char *text)
{
    struct bytes clean = {0};

    visible_clean(&clean, VISIBLE_LINE, text);
    put_clean(canvas, paint, &clean);
    if (clean.failed)
        canvas->out->failed = true;
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
