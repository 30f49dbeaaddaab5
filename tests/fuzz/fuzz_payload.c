/*
 * A node of ZooKeeper or a key of etcd from anybody: its name in a line of its own, then its
 * value. A member that comes out can be used.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/member.h"
#include "discovery/registries/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t name_len = line_end != NULL ? (size_t)(line_end - data) : size;
    size_t len = line_end != NULL ? size - name_len - 1 : 0;
    struct member member;

    if (payload_read((const char *)data, name_len,
                     line_end != NULL ? (const char *)line_end + 1 : NULL, len, &member) < 0)
        return 0;
    check(memchr(member.id, '\0', sizeof member.id) != NULL && strlen(member.id) == name_len);
    check(memchr(member.host, '\0', sizeof member.host) != NULL && member.host[0] != '\0');
    check(member.port >= 1 && member.port <= 65535);
    check(member.weight >= 1 && member.weight <= 65535 && member.max_fails <= 1000000);
    check(member.fail_timeout_ms >= 1 && member.fail_timeout_ms <= 86400000);
    check(member.is_down <= 1);
    return 0;
}
