/*
 * The status of an instance as people see it: a head of a few lines, and a table
 * with a line for each process. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_VIEW_STATUS_H
#define ZOMBIE_ZOMBIECTL_VIEW_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct bytes;

/*
 * Add it to out, each line with its newline. `status` is the result of the
 * command of that name, of which any part may be missing. No line takes more than
 * `width` columns (0: any number): the head goes on in further lines, the table
 * shortens, leaves out and cuts.
 */
void view_status_draw(struct bytes *out, const json_t *status, size_t width, bool colour);

#endif
