/*
 * Lines out of a stream of bytes, however it is cut into pieces, with a limit
 * on how long one may become.
 */
#ifndef ZOMBIE_CONTROL_LINE_H
#define ZOMBIE_CONTROL_LINE_H

#include <stddef.h>

#include "base/bytes.h"

/* All zero but for max is an empty one. */
struct control_lines {
    size_t max; /* of one line, in bytes, newline included */
    struct bytes bytes;
    size_t from; /* where the next line begins */
    size_t seen; /* so many bytes of it hold no newline */
};

/* Append what has arrived; lines that were given out are void. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int control_lines_add(struct control_lines *lines,
                                                          const char *data, size_t len);

/*
 * Take the next line, without its newline and not ended by a NUL, borrowed until
 * the next control_lines_add(). Returns 0; -EAGAIN when the end of the line has
 * not come yet; -EMSGSIZE, from then on, when a line is too long.
 */
__attribute__((warn_unused_result)) int control_lines_next(struct control_lines *lines,
                                                           const char **ret_line, size_t *ret_len);

/* Free the memory. */
void control_lines_free(struct control_lines *lines);

#endif
