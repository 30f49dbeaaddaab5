/*
 * What orders have in common: the progress on the way and the words at the end.
 */
#ifndef ZOMBIE_ZOMBIECTL_ORDERS_H
#define ZOMBIE_ZOMBIECTL_ORDERS_H

#include <stdbool.h>

#include <jansson.h>

struct zombiectl;

/*
 * Give an order and wait until it is carried out, with progress; `arguments` is an object or
 * NULL, and the reference is taken. Returns an exit status.
 */
int orders_give(struct zombiectl *ctl, const char *command, json_t *arguments);

/* A talk_piece: show the progress that the line tells of; arg is the struct zombiectl. */
bool orders_show_progress(const json_t *line, void *arg);

/* Print the last line of an answer, without its id if as JSON. Returns the exit status for it. */
int orders_conclude(const struct zombiectl *ctl, json_t *end);

#endif
