#include "config.h"

#include "zombiectl/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *one, const char *other)
{
    /* edits[i][j]: from the first i letters of one to the first j of the other */
    size_t edits[NEAREST_WORD_MAX + 1][NEAREST_WORD_MAX + 1];
    size_t n = strlen(one), m = strlen(other);

    if (n > NEAREST_WORD_MAX || m > NEAREST_WORD_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                edits[i][j] = i + j;
                continue;
            }
            edits[i][j] = least(least(edits[i - 1][j], edits[i][j - 1]) + 1,
                                edits[i - 1][j - 1] + (one[i - 1] != other[j - 1]));
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                edits[i][j] = least(edits[i][j], edits[i - 2][j - 2] + 1);
        }
    }
    return edits[n][m];
}

bool nearest_is_near(const char *word, size_t distance)
{
    size_t length = strlen(word);

    return length > 1 && distance <= (length < 4 ? 1 : length / 3);
}
