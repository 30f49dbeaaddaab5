/*
 * Services as people and their scripts see them. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_VIEW_DISCOVERY_H
#define ZOMBIE_ZOMBIECTL_VIEW_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct bytes;

/*
 * Add a table of all services to out, from the "services" of an answer. No line takes more than
 * `width` columns (0: any number).
 */
void view_discovery_draw(struct bytes *out, const json_t *services, size_t width, bool colour);

/*
 * Add "HOST:PORT", IPv6 in brackets, for each member that is not down, or for the one that was
 * chosen, a line each; `answer` is that for a service.
 */
void view_discovery_list(struct bytes *out, const json_t *answer);

#endif
