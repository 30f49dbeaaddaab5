/*
 * A peer of the Distributor protocol that sends anything, in pieces of any length: the frames are
 * the same however the bytes are cut, each is UTF-8 without the delimiter, within the limit, and
 * a stream that was refused stays so.
 *
 * The first byte says how long the pieces are, the second how long a frame may be.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "discovery/registries/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_frame(const char *frame, size_t len, size_t max)
{
    check(len > 0 && len <= max);
    check(memmem(frame, len, FRAME_END, sizeof FRAME_END - 1) == NULL);
    while (len > 0) {
        size_t n = utf8_sequence_length(frame, len);

        check(n > 0);
        frame += n;
        len -= n;
    }
}

/* All frames of the stream, each with its end, if it is fed in pieces of this length. */
static struct bytes split(const char *data, size_t size, size_t piece, size_t max, int *ret_err)
{
    struct frames frames = {.max = max};
    struct bytes all = {.at = NULL};
    const char *frame;
    size_t len;
    int err = -EAGAIN;

    while (size > 0 && err == -EAGAIN) {
        len = size < piece ? size : piece;
        check(frames_add(&frames, data, len) == 0);
        data += len;
        size -= len;
        while ((err = frames_next(&frames, &frame, &len)) == 0) {
            check_frame(frame, len, max);
            bytes_add(&all, frame, len);
            bytes_add_text(&all, FRAME_END);
        }
        check(frames_next(&frames, &frame, &len) == err);
    }
    frames_free(&frames);
    check(!all.failed);
    *ret_err = err;
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int whole_err, pieces_err;

    if (size < 2)
        return 0;
    size_t piece = (size_t)data[0] + 1, max = (size_t)data[1] + 1;
    const char *stream = (const char *)data + 2;
    struct bytes whole = split(stream, size - 2, SIZE_MAX, max, &whole_err);
    struct bytes pieces = split(stream, size - 2, piece, max, &pieces_err);

    check(whole_err == pieces_err && whole.len == pieces.len);
    check(whole.len == 0 || memcmp(whole.at, pieces.at, whole.len) == 0);
    bytes_free(&whole);
    bytes_free(&pieces);
    return 0;
}
