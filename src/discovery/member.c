#include "config.h"

#include "discovery/member.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define DEFAULT_FAIL_TIMEOUT_MS 10000

#define HOST_CHARS                                                   \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
    ".-_:"

void member_init(struct member *member)
{
    *member =
        (struct member){.weight = 1, .max_fails = 1, .fail_timeout_ms = DEFAULT_FAIL_TIMEOUT_MS};
}

static void copy(char *text, size_t size, const char *from, size_t len)
{
    memcpy(text, from, len);
    memset(text + len, 0, size - len);
}

bool member_set_id(struct member *member, const char *id, size_t len)
{
    if (len == 0 || len >= sizeof member->id || !utf8_is_printable(id, len))
        return false;
    copy(member->id, sizeof member->id, id, len);
    return true;
}

bool member_set_host(struct member *member, const char *host, size_t len)
{
    if (len == 0 || len >= sizeof member->host)
        return false;
    for (size_t i = 0; i < len; i++)
        if (host[i] == '\0' || strchr(HOST_CHARS, host[i]) == NULL)
            return false;
    copy(member->host, sizeof member->host, host, len);
    return true;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->id, ((const struct member *)b)->id);
}

size_t members_sort(struct member *members, size_t n)
{
    size_t kept = 0;
    if (n > 0)
        qsort(members, n, sizeof *members, by_id);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(members[kept - 1].id, members[i].id) != 0)
            members[kept++] = members[i];
    return kept;
}

static bool is_same(const struct member *a, const struct member *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port &&
           a->weight == b->weight && a->max_fails == b->max_fails &&
           a->fail_timeout_ms == b->fail_timeout_ms && a->is_down == b->is_down;
}

bool members_equal(const struct member *a, size_t n_a, const struct member *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (!is_same(&a[i], &b[i]))
            return false;
    return true;
}
