#include "config.h"

#include "discovery/selection.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"

static const char *const names[SELECTIONS] = {
    [SELECTION_ROUND_ROBIN] = "round_robin",
    [SELECTION_RANDOM] = "random",
    [SELECTION_STICKY] = "sticky",
};

const char *selection_name(enum selection selection)
{
    return names[selection];
}

int selection_find(const char *name, enum selection *ret_selection)
{
    for (int i = 0; i < SELECTIONS; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_selection = (enum selection)i;
            return 0;
        }
    }
    return -EINVAL;
}

static uint64_t weight_of(const struct member *member)
{
    return member->is_down ? 0 : member->weight;
}

static uint64_t sum(const struct member *members, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += weight_of(&members[i]);
    return total;
}

/* Who has the place-th share of all, 0 <= place < sum(). */
static size_t find(const struct member *members, size_t n, uint64_t place)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t weight = weight_of(&members[i]);
        if (place < weight)
            return i;
        place -= weight;
    }
    return n;
}

size_t selection_round_robin(const struct member *members, size_t n, uint64_t turn)
{
    uint64_t total = sum(members, n);
    return total > 0 ? find(members, n, turn % total) : n;
}

size_t selection_random(const struct member *members, size_t n, double dice)
{
    uint64_t total = sum(members, n);
    return total > 0 ? find(members, n, (uint64_t)(dice * (double)total)) : n;
}

/* All bits of the result depend on all of those of the hash (the finaliser of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Between 0 and 1, neither of them. */
static double draw(const struct member *member, const char *key, size_t len)
{
    uint64_t state = hash_text(hash_bytes(HASH_BEGIN, key, len), member->id);
    return ((double)(mix(state) >> 11) + 0.5) / (double)(UINT64_C(1) << 53);
}

size_t selection_sticky(const struct member *members, size_t n, const char *key, size_t len)
{
    size_t best = n;
    double highest = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t weight = weight_of(&members[i]);
        if (weight == 0)
            continue;
        double score = -(double)weight / log(draw(&members[i], key, len));
        if (best == n || score > highest) {
            best = i;
            highest = score;
        }
    }
    return best;
}
