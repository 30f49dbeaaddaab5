#include "config.h"

#include "cluster/share.h"

bool share_has(struct share share, size_t socket)
{
    return share.of == 1 || (share.of > 1 && socket % share.of == share.number - 1);
}

size_t share_first(struct share share, size_t n)
{
    return share.of == 1 ? 0 : (share.number - 1) % n;
}
