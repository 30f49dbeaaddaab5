/*
 * What somebody may have meant who wrote an unknown word: of all words that are
 * tried the one that is spelled most like it.
 */
#ifndef ZOMBIE_CONF_SPELLING_H
#define ZOMBIE_CONF_SPELLING_H

#include <stddef.h>

struct spelling {
    const char *word;
    const char *nearest; /* of the words tried so far; NULL: none is near */
    size_t edits;        /* between the two */
};

/* Before any word is tried; `word` is borrowed. */
struct spelling spelling_of(const char *word);

/* Keep `candidate`, which is borrowed, when it is nearer than what was kept before. */
void spelling_try(struct spelling *spelling, const char *candidate);

#endif
