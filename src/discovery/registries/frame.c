#include "config.h"

#include "discovery/registries/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

#define END_LEN (sizeof FRAME_END - 1)

int frames_add(struct frames *frames, const char *data, size_t len)
{
    if (frames->from > 0)
        bytes_take(&frames->bytes, frames->from);
    frames->from = 0;
    bytes_add(&frames->bytes, data, len);
    return frames->bytes.failed ? -ENOMEM : 0;
}

/* How many bytes a character has that begins so; 1 for what begins none. */
static size_t promised(unsigned char first)
{
    return first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Set *ret_len to the length of the next character, of which `len` bytes are there. */
static int measure(const char *at, size_t len, size_t *ret_len)
{
    *ret_len = utf8_sequence_length(at, len);
    if (*ret_len > 0)
        return 0;
    return len < promised((unsigned char)*at) ? -EAGAIN : -EILSEQ;
}

/* Look on for the end of the frame that begins at frames->from; `seen` is its length then. */
static int find_end(struct frames *frames)
{
    size_t there = frames->bytes.len - frames->from;
    while (frames->seen < there) {
        size_t len = 1;
        const char *at = frames->bytes.at + frames->from + frames->seen;
        bool is_ascii = (unsigned char)*at < 0x80;
        int err = is_ascii ? 0 : measure(at, there - frames->seen, &len);
        if (err != 0)
            return err;
        if (len == END_LEN && memcmp(at, FRAME_END, END_LEN) == 0)
            return 0;
        if (frames->seen + len > frames->max)
            return -EMSGSIZE;
        frames->seen += len;
    }
    return -EAGAIN;
}

int frames_next(struct frames *frames, const char **ret_frame, size_t *ret_len)
{
    int err;
    while ((err = find_end(frames)) == 0) {
        size_t from = frames->from, len = frames->seen;
        frames->from += len + END_LEN;
        frames->seen = 0;
        if (len == 0)
            continue;
        *ret_frame = frames->bytes.at + from;
        *ret_len = len;
        return 0;
    }
    if (frames->from == frames->bytes.len)
        frames_free(frames);
    return err;
}

void frames_free(struct frames *frames)
{
    bytes_free(&frames->bytes);
    frames->from = 0;
    frames->seen = 0;
}
