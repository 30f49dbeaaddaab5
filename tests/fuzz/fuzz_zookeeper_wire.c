/*
 * What a ZooKeeper server sends: the first byte says which answer is due and whether there was a
 * login, the rest is a frame. Judging it reads nothing beyond it, asks for more only when
 * that can help, and does not change its mind when more has come.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/registries/zookeeper_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Of an allocation of its own, so that a sanitizer sees each byte read past its end. */
static int judge(const uint8_t *data, size_t len, unsigned kind, size_t *need)
{
    unsigned char *bytes = malloc(len > 0 ? len : 1);
    int r;

    check(bytes != NULL);
    if (len > 0)
        memcpy(bytes, data, len);
    if (kind % 16 == 15)
        r = zookeeper_judge_welcome(bytes, len, kind >= 128, need);
    else
        r = zookeeper_judge(bytes, len, kind % (ZOOKEEPER_REPLACED + 1), kind >= 128, need);
    free(bytes);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t need = 0, len = 0, max;
    int r, last;

    if (size == 0)
        return 0;
    max = size - 1 < ZOOKEEPER_HEAD_SIZE ? size - 1 : ZOOKEEPER_HEAD_SIZE;
    last = judge(data + 1, max, data[0], &need);
    check(last == 1 || last == 0 || last == -EBADMSG || last == -EMSGSIZE);
    check(last != 0 || (need > max && need <= ZOOKEEPER_HEAD_SIZE));
    while ((r = judge(data + 1, len, data[0], &need)) == 0 && need <= max) {
        check(need > len);
        len = need;
    }
    check(r == last);
    return 0;
}
