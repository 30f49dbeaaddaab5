#include "config.h"

#include "conf/spelling.h"

#include <string.h>

/* More differences than this are another word, not a typing error. */
#define NEAR_EDITS 2

/* Longer words get no suggestion: no key is that long. */
#define NEAR_BYTES 32

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/*
 * How many characters must be put in, taken out, changed or swapped with their
 * neighbour to make one word of the other (Levenshtein, with transpositions).
 */
static size_t edits_between(const char *a, const char *b)
{
    size_t cost[NEAR_BYTES + 1][NEAR_BYTES + 1];
    size_t len_a = strlen(a), len_b = strlen(b);

    if (len_a > NEAR_BYTES || len_b > NEAR_BYTES)
        return NEAR_EDITS + 1;

    for (size_t i = 0; i <= len_a; i++) {
        for (size_t j = 0; j <= len_b; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                               cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[len_a][len_b];
}

struct spelling spelling_of(const char *word)
{
    return (struct spelling){.word = word, .edits = NEAR_EDITS + 1};
}

void spelling_try(struct spelling *spelling, const char *candidate)
{
    size_t edits = edits_between(spelling->word, candidate);

    if (edits < spelling->edits) {
        spelling->nearest = candidate;
        spelling->edits = edits;
    }
}
