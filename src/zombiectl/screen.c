#include "config.h"

#include "zombiectl/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

/* DEC private modes 1049, the alternate screen, and 25, the cursor (xterm's ctlseqs). */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

/* CUP, EL and ED of ECMA-48. */
#define HOME       "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_REST "\033[J"

static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, data, len);

        if (n < 0 && errno != EINTR)
            return; /* the terminal is gone, which its input tells as well */
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

/* Ctrl-C comes as a key, so that there is one way out. */
static void take_keys(const struct termios *before)
{
    struct termios raw = *before;

    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

int screen_enter(struct screen *ret_screen)
{
    struct screen screen;

    if (isatty(STDOUT_FILENO) != 1 || tcgetattr(STDIN_FILENO, &screen.before) < 0)
        return -ENOTTY;
    screen_again(&screen);
    *ret_screen = screen;
    return 0;
}

void screen_again(const struct screen *screen)
{
    take_keys(&screen->before);
    write_all(ENTER, strlen(ENTER));
}

static size_t count_lines(const char *lines)
{
    size_t n = 0;

    for (; *lines != '\0'; lines++)
        n += *lines == '\n';
    return n;
}

static void add_more(struct bytes *out, size_t n, size_t columns)
{
    char text[40];
    int length = snprintf(text, sizeof(text), "... %zu more", n);

    bytes_add(out, text, (size_t)length < columns ? (size_t)length : columns);
}

/* A line is erased before it is written: behind its last column there is no place to do it from. */
void screen_show(const char *lines, struct terminal_size size)
{
    struct bytes out = {0};
    size_t n = count_lines(lines);
    size_t shown = n <= size.rows ? n : size.rows - 1;

    bytes_add_text(&out, HOME);
    for (size_t i = 0; i < shown; i++) {
        size_t length = strcspn(lines, "\n");

        bytes_add_text(&out, i > 0 ? "\r\n" ERASE_LINE : ERASE_LINE);
        bytes_add(&out, lines, length);
        lines += length + 1;
    }
    if (shown < size.rows)
        bytes_add_text(&out, shown > 0 ? "\r\n" ERASE_REST : ERASE_REST);
    if (shown < n)
        add_more(&out, n - shown, size.columns);
    if (!out.failed)
        write_all(out.at, out.len);
    bytes_free(&out);
}

void screen_leave(const struct screen *screen)
{
    write_all(LEAVE, strlen(LEAVE));
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &screen->before);
}
