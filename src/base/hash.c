#include "config.h"

#include "base/hash.h"

#include <string.h>

#define PRIME UINT64_C(0x100000001b3)

uint64_t hash_bytes(uint64_t state, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        state = (state ^ at[i]) * PRIME;
    return state;
}

uint64_t hash_text(uint64_t state, const char *text)
{
    return hash_bytes(state, text, strlen(text) + 1);
}
