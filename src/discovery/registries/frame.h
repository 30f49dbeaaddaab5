/*
 * The frames of the Distributor protocol: UTF-8, each ended by the pilcrow (U+00B6, bytes C2
 * B6). Out of a stream of bytes, however it is cut into pieces, with a limit on how long one may
 * become. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_FRAME_H
#define ZOMBIE_DISCOVERY_FRAME_H

#include <stddef.h>

#include "base/bytes.h"

/* What ends a frame. */
#define FRAME_END "\xc2\xb6"

/* All zero but for max is an empty one. It holds no memory while no frame is half there. */
struct frames {
    size_t max; /* of one frame in bytes, without its end */
    struct bytes bytes;
    size_t from; /* where the next frame begins */
    size_t seen; /* so many bytes of it are whole characters and no end */
};

/* Append what has arrived; a frame that was given out is void. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int frames_add(struct frames *frames, const char *data,
                                                   size_t len);

/*
 * Take the next frame, without its end, never empty (empty ones are skipped) and not ended by a
 * NUL; borrowed until the next call. Returns 0; -EAGAIN when its end has not come yet; or,
 * from then on, -EMSGSIZE when it is too long and -EILSEQ when it is no UTF-8 (RFC 3629).
 */
__attribute__((warn_unused_result)) int frames_next(struct frames *frames, const char **ret_frame,
                                                    size_t *ret_len);

/* Free the memory; it is then an empty one with the same limit. */
void frames_free(struct frames *frames);

#endif
