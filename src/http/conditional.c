#include "config.h"

#include "http/conditional.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "http/http_date.h"

void etag_format(const struct timespec *mtime, uint64_t size, char buf[ETAG_SIZE])
{
    (void)snprintf(buf, ETAG_SIZE, "\"%llx%08lx-%llx\"", (unsigned long long)mtime->tv_sec,
                   (unsigned long)mtime->tv_nsec, (unsigned long long)size);
}

struct etag {
    const char *opaque; /* with its quotes */
    size_t len;         /* with its quotes; 0: malformed */
    bool is_weak;
};

/* The entity tag that text begins with (RFC 9110 section 8.8.3). */
static struct etag take_etag(const char *text)
{
    struct etag tag = {.is_weak = strncmp(text, "W/", 2) == 0};
    tag.opaque = tag.is_weak ? text + 2 : text;
    if (tag.opaque[0] != '"')
        return tag;
    size_t len = 1;
    while ((unsigned char)tag.opaque[len] > ' ' && tag.opaque[len] != '"' &&
           tag.opaque[len] != '\x7f')
        len++;
    if (tag.opaque[len] == '"')
        tag.len = len + 1;
    return tag;
}

static bool are_equal(const struct etag *a, const struct etag *b, bool strongly)
{
    if (strongly && (a->is_weak || b->is_weak))
        return false;
    return a->len > 0 && a->len == b->len && memcmp(a->opaque, b->opaque, a->len) == 0;
}

/* Texts that are one entity tag and nothing more. */
static bool texts_equal(const char *a, const char *b, bool strongly)
{
    struct etag left = take_etag(a), right = take_etag(b);
    return left.opaque[left.len] == '\0' && right.opaque[right.len] == '\0' &&
           are_equal(&left, &right, strongly);
}

bool etag_equals_strongly(const char *a, const char *b)
{
    return texts_equal(a, b, true);
}

bool etag_equals_weakly(const char *a, const char *b)
{
    return texts_equal(a, b, false);
}

static bool is_star(const char *list)
{
    list += strspn(list, " \t");
    return list[0] == '*' && list[1 + strspn(list + 1, " \t")] == '\0';
}

/* Whether a list of entity tags, or "*", names the entity. */
static bool list_matches(const char *list, const char *etag, bool strongly)
{
    if (is_star(list))
        return true;
    if (etag == NULL)
        return false;
    struct etag ours = take_etag(etag);
    for (;;) {
        list += strspn(list, " \t,");
        struct etag theirs = take_etag(list);
        if (theirs.len == 0)
            return false;
        const char *end = theirs.opaque + theirs.len;
        end += strspn(end, " \t");
        if (*end != ',' && *end != '\0')
            return false;
        if (are_equal(&theirs, &ours, strongly))
            return true;
        list = end;
    }
}

/* Whether the entity has changed since a date; `otherwise` when that cannot be told. */
static bool changed_since(const char *date, const struct conditional_request *request,
                          const struct conditional_entity *entity, bool otherwise)
{
    int64_t since;
    if (date == NULL || entity->mtime_s < 0 || http_date_parse(date, request->now_s, &since) != 0)
        return otherwise;
    return entity->mtime_s > since;
}

enum conditional_result conditional_judge(const struct conditional_request *request,
                                          const struct conditional_entity *entity)
{
    if (request->if_match != NULL) {
        if (!list_matches(request->if_match, entity->etag, true))
            return CONDITIONAL_FAILED;
    } else if (changed_since(request->if_unmodified_since, request, entity, false)) {
        return CONDITIONAL_FAILED;
    }
    if (request->if_none_match != NULL) {
        if (!list_matches(request->if_none_match, entity->etag, false))
            return CONDITIONAL_SEND;
        return request->is_get_or_head ? CONDITIONAL_NOT_MODIFIED : CONDITIONAL_FAILED;
    }
    if (request->is_get_or_head &&
        !changed_since(request->if_modified_since, request, entity, true))
        return CONDITIONAL_NOT_MODIFIED;
    return CONDITIONAL_SEND;
}

bool conditional_range_holds(const char *if_range, const struct conditional_entity *entity)
{
    if (if_range == NULL)
        return true;
    if (if_range[0] == '"' || strncmp(if_range, "W/", 2) == 0)
        return entity->etag != NULL && etag_equals_strongly(if_range, entity->etag);
    char date[HTTP_DATE_SIZE];
    http_date_format(entity->mtime_s, date);
    return entity->mtime_s >= 0 && strcmp(if_range, date) == 0;
}
