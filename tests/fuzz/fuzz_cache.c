/* The cache of services, of any bytes: what is taken from it can be used. */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "discovery/cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct member members[MEMBERS_MAX];
    struct cache *cache = cache_new();
    if (cache == NULL)
        return 0;
    if (cache_parse(cache, (const char *)data, size) == 0) {
        size_t n = cache_get(cache, "a", members);
        assert(n <= MEMBERS_MAX);
        for (size_t i = 0; i < n; i++) {
            assert(members[i].port >= 1 && members[i].port <= UINT16_MAX);
            assert(members[i].weight >= 1);
            assert(memchr(members[i].host, '\0', sizeof members[i].host) != NULL);
            assert(i == 0 || strcmp(members[i - 1].id, members[i].id) < 0);
        }
    }
    cache_free(cache);
    return 0;
}
