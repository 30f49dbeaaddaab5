/*
 * Upstreams as people see them: of each a line, and a table of its servers. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_VIEW_UPSTREAM_H
#define ZOMBIE_ZOMBIECTL_VIEW_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct bytes;

/*
 * Add them to out, each line with its newline. `upstreams` is that member of the
 * status, of which any part may be missing. No line takes more than `width`
 * columns (0: any number): the table leaves out and cuts.
 */
void view_upstream_draw(struct bytes *out, const json_t *upstreams, size_t width, bool colour);

#endif
