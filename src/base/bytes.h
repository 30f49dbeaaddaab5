/*
 * A buffer that grows: bytes are added at its end and taken from its front.
 */
#ifndef ZOMBIE_BASE_BYTES_H
#define ZOMBIE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer. Ended by a NUL that does not count, once anything was added. */
struct bytes {
    char *at;
    size_t len;
    size_t size;
    bool failed; /* memory was short for something that should have been added */
};

/*
 * Add a copy. When memory is short nothing is added, then or later, and
 * `failed` is set until bytes_clear(): whoever adds a lot asks once, at the end.
 */
void bytes_add(struct bytes *bytes, const void *data, size_t len);

/* Add the bytes of a text. */
void bytes_add_text(struct bytes *bytes, const char *text);

/* Add the number in decimal. */
void bytes_add_number(struct bytes *bytes, uint64_t number);

/* Forget the first len bytes, len <= bytes->len. */
void bytes_take(struct bytes *bytes, size_t len);

/* Empty it and keep the memory for what comes. */
void bytes_clear(struct bytes *bytes);

/* Empty it and free the memory. */
void bytes_free(struct bytes *bytes);

#endif
