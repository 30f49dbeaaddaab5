/*
 * An event of the flight recorder as a line. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_VIEW_EVENT_H
#define ZOMBIE_ZOMBIECTL_VIEW_EVENT_H

#include <stdbool.h>

#include <jansson.h>

struct bytes;

/* Add the line and its newline to out; any part of the event may be missing. */
void view_event_draw(struct bytes *out, const json_t *event, bool colour);

#endif
