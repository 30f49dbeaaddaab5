#include "config.h"

#include "zombiectl/chaos_spread.h"

#include <stddef.h>

#define LARGEST ((INT64_C(1) << 42) - 1)

/* How many bits of a value its class does not keep: all but the first seven. */
static unsigned dropped_bits(int64_t us)
{
    unsigned n = 0;

    while (us >> n >= 128)
        n++;
    return n;
}

static size_t class_of(int64_t us)
{
    unsigned bits = dropped_bits(us);

    return (size_t)bits * 64 + (size_t)(us >> bits);
}

/* The largest value of the class. */
static int64_t top_of(size_t class)
{
    unsigned bits = class < 128 ? 0 : (unsigned)(class / 64 - 1);

    return ((int64_t)(class - (size_t)bits * 64 + 1) << bits) - 1;
}

void chaos_spread_add(struct chaos_spread *spread, int64_t us)
{
    if (us < 0)
        us = 0;
    if (us > LARGEST)
        us = LARGEST;
    spread->counts[class_of(us)]++;
    spread->n++;
    if (us > spread->max_us)
        spread->max_us = us;
}

int64_t chaos_spread_percentile(const struct chaos_spread *spread, unsigned percent)
{
    uint64_t rank = (spread->n / 100) * percent + ((spread->n % 100) * percent + 99) / 100;
    uint64_t seen = 0;

    for (size_t i = 0; i < CHAOS_SPREAD_CLASSES; i++) {
        seen += spread->counts[i];
        if (seen >= rank && seen > 0)
            return top_of(i) < spread->max_us ? top_of(i) : spread->max_us;
    }
    return -1;
}
