/*
 * What etcd may send: the first byte says as what the rest is read. As a range each line that
 * follows is one of its watch. Whatever it is, a list stays within its bounds, and each of
 * its members can be used.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/base64.h"
#include "discovery/registries/etcd_members.h"
#include "discovery/registries/etcd_wire.h"

#define PREFIX "/s/a/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_members(const struct etcd_members *members)
{
    check(members->n <= MEMBERS_MAX && members->n <= members->size);
    for (size_t i = 0; i < members->n; i++) {
        const struct member *member = &members->at[i];
        check(memchr(member->id, '\0', sizeof(member->id)) != NULL && member->id[0] != '\0');
        check(memchr(member->host, '\0', sizeof(member->host)) != NULL && member->host[0] != '\0');
        check(strchr(member->id, '/') == NULL);
        check(member->port >= 1 && member->port <= 65535);
        check(member->weight >= 1 && member->weight <= 65535 && member->is_down <= 1);
        for (size_t j = 0; j < i; j++)
            check(strcmp(member->id, members->at[j].id) != 0);
    }
}

static void check_refusal(const struct etcd_refusal *refusal)
{
    check(refusal->outcome < DRIVER_OUTCOMES);
    check(memchr(refusal->why, '\0', sizeof(refusal->why)) != NULL && refusal->why[0] != '\0');
}

static void read_refusal(const char *text, size_t len)
{
    static const int statuses[] = {201, 302, 400, 401, 403, 404, 412, 429, 500, 503, 599};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct etcd_refusal refusal;
        etcd_wire_refuse(statuses[i], text, len, &refusal);
        check_refusal(&refusal);
        check(refusal.outcome != DRIVER_DONE);
    }
}

static void read_answers(const char *text, size_t len)
{
    int64_t number = -1;
    char *token = NULL;
    if (etcd_wire_read_grant(text, len, &number) == 0)
        check(number > 0);
    number = -1;
    if (etcd_wire_read_count(text, len, &number) == 0)
        check(number >= 0);
    check(etcd_wire_read_keepalive(text, len) <= 0);
    check(etcd_wire_read_update(text, len) <= 0);
    if (etcd_wire_read_token(text, len, &token) == 0)
        check(token[0] != '\0' && strpbrk(token, "\r\n ") == NULL);
    free(token);
}

static void read_line(struct etcd_members *members, const char *line, size_t len)
{
    enum etcd_event event = ETCD_NOTHING;
    struct etcd_refusal refusal;
    int64_t revision = members->revision;
    if (etcd_members_apply(members, line, len, PREFIX, &event, &refusal) == 0 &&
        event == ETCD_ENDED)
        check_refusal(&refusal);
    check(members->revision >= revision);
    check_members(members);
}

static void read_stream(const char *text, size_t len)
{
    struct etcd_members members = {0};
    const char *end = text + len;
    const char *line = memchr(text, '\n', len);
    size_t first = line == NULL ? len : (size_t)(line - text);
    if (etcd_members_read(text, first, PREFIX, &members) == 0)
        check(members.revision > 0);
    check_members(&members);
    while (line != NULL) {
        const char *next = memchr(line + 1, '\n', (size_t)(end - line - 1));
        read_line(&members, line + 1, (size_t)((next == NULL ? end : next) - line - 1));
        line = next;
    }
    etcd_members_free(&members);
}

/* Only one text is read as these bytes. */
static void read_base64(const char *text, size_t len)
{
    char *bytes;
    size_t n;
    if (base64_decode(text, len, &bytes, &n) < 0)
        return;
    char *again = base64_encode(bytes, n);
    check(again != NULL && strlen(again) == len && memcmp(again, text, len) == 0);
    free(again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *text, size_t len) = {read_refusal, read_answers,
                                                                    read_stream, read_base64};
    if (size == 0)
        return 0;
    char *text = malloc(size);
    check(text != NULL);
    memcpy(text, data + 1, size - 1);
    readers[data[0] % 4](text, size - 1);
    free(text);
    return 0;
}
