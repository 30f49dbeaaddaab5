/*
 * The whole terminal for a while: the alternate screen, no cursor, keys as they
 * are pressed; and everything as it was before, afterwards.
 */
#ifndef ZOMBIE_ZOMBIECTL_SCREEN_H
#define ZOMBIE_ZOMBIECTL_SCREEN_H

#include <termios.h>

#include "zombiectl/terminal.h"

struct screen {
    struct termios before;
};

/* Take the terminal at standard input and output. Returns 0, or -errno when there is none. */
__attribute__((warn_unused_result)) int screen_enter(struct screen *ret_screen);

/* The same again, when somebody else may have used the terminal meanwhile. */
void screen_again(const struct screen *screen);

/*
 * Show these lines, and nothing else, on a terminal of that size. Those beyond
 * the last row are left out, and the last row says how many. No line may be wider
 * than the terminal.
 */
void screen_show(const char *lines, struct terminal_size size);

/* Give the terminal back. */
void screen_leave(const struct screen *screen);

#endif
