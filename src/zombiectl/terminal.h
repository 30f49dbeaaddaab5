/*
 * What is known about a terminal before anything is drawn on it.
 */
#ifndef ZOMBIE_ZOMBIECTL_TERMINAL_H
#define ZOMBIE_ZOMBIECTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal_size {
    size_t columns;
    size_t rows;
};

/* The size of the terminal at fd; 80 by 24 where it does not say. */
struct terminal_size terminal_size(int fd);

/* Whether there is a terminal at fd that understands escape sequences (TERM is not "dumb"). */
bool terminal_understands(int fd);

#endif
