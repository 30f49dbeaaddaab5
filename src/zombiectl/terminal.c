#include "config.h"

#include "zombiectl/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_size terminal_size(int fd)
{
    struct winsize window = {.ws_col = 0};

    (void)ioctl(fd, TIOCGWINSZ, &window);
    return (struct terminal_size){
        .columns = window.ws_col > 0 ? window.ws_col : 80,
        .rows = window.ws_row > 0 ? window.ws_row : 24,
    };
}

bool terminal_understands(int fd)
{
    const char *kind = getenv("TERM");

    return isatty(fd) == 1 && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}
