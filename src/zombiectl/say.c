#include "config.h"

#include "zombiectl/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "zombiectl/terminal.h"
#include "zombiectl/visible.h"

/* "\r" and EL, erase to the end of the line (ECMA-48). */
#define ERASE_LINE "\r\033[K"

static bool progress_is_shown;

static void write_clean(FILE *file, enum visible_shape shape, const char *text, size_t columns)
{
    struct bytes clean = {0};

    visible_clean(&clean, shape, text);
    if (clean.failed)
        (void)fputs("(out of memory for the text)", file);
    else if (clean.len > 0)
        (void)fwrite(clean.at, 1,
                     columns > 0 ? visible_fit(clean.at, clean.len, columns) : clean.len, file);
    bytes_free(&clean);
}

void say_no_progress(void)
{
    if (progress_is_shown)
        (void)fputs(ERASE_LINE, stderr);
    progress_is_shown = false;
}

void say_error(const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    say_no_progress();
    (void)fflush(stdout);
    (void)fputs("zombiectl: ", stderr);
    write_clean(stderr, VISIBLE_LINE, text != NULL ? text : strerror(ENOMEM), 0);
    (void)fputc('\n', stderr);
    free(text);
}

/* The last column stays free: some terminals wrap as soon as it is written to. */
static size_t columns_for_progress(void)
{
    struct terminal_size size = terminal_size(STDERR_FILENO);

    return size.columns > 1 ? size.columns - 1 : 1;
}

void say_progress(bool in_place, const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (text == NULL)
        return;
    say_no_progress();
    write_clean(stderr, VISIBLE_LINE, text, in_place ? columns_for_progress() : 0);
    if (!in_place)
        (void)fputc('\n', stderr);
    progress_is_shown = in_place;
    (void)fflush(stderr);
    free(text);
}

void say_text(const char *text)
{
    size_t length = strlen(text);

    say_no_progress();
    write_clean(stdout, VISIBLE_LINES, text, 0);
    if (length == 0 || text[length - 1] != '\n')
        (void)fputc('\n', stdout);
}

/* Escaped is all but DEL, which is ASCII and may stand in a JSON text as it is. */
void say_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    if (text == NULL) {
        say_error("%s", strerror(ENOMEM));
        return;
    }
    say_no_progress();
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '\177')
            (void)fputs("\\u007F", stdout);
        else
            (void)fputc(*at, stdout);
    (void)fputc('\n', stdout);
    free(text);
}

bool say_drawn(const struct bytes *drawn)
{
    if (drawn->failed) {
        say_error("%s", strerror(ENOMEM));
        return false;
    }
    say_no_progress();
    (void)fwrite(drawn->at, 1, drawn->len, stdout);
    return true;
}

bool say_flush(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    if (errno != 0 && errno != EPIPE)
        say_error("cannot write: %s", strerror(errno));
    return false;
}
