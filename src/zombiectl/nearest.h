/*
 * What somebody may have meant who mistyped a word.
 */
#ifndef ZOMBIE_ZOMBIECTL_NEAREST_H
#define ZOMBIE_ZOMBIECTL_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Words beyond this length are near to nothing. */
#define NEAREST_WORD_MAX 32

/*
 * How many letters must be added, taken away, replaced, or swapped with their
 * neighbour to make one word of the other; SIZE_MAX when a word is too long.
 */
size_t nearest_distance(const char *one, const char *other);

/* Whether such a distance to `word` is small enough for a typing error: at most a third of it. */
bool nearest_is_near(const char *word, size_t distance);

#endif
