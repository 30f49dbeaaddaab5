#include "config.h"

#include "http/handlers/files_send.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/conditional.h"
#include "http/handlers/files_ranges.h"
#include "http/http_date.h"
#include "http/range.h"
#include "http/reply.h"
#include "http/request.h"

/* A content coding adds its name to the entity tag. */
#define CODING_MAX 8
#define TAG_SIZE   (ETAG_SIZE + CODING_MAX + 1)

/* The fields of the request that matter; of repeated ones the first. */
struct fields {
    const char *range;
    const char *if_range;
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
};

static const struct {
    const char *name;
    size_t offset;
} field_table[] = {
    {"Range", offsetof(struct fields, range)},
    {"If-Range", offsetof(struct fields, if_range)},
    {"If-Match", offsetof(struct fields, if_match)},
    {"If-None-Match", offsetof(struct fields, if_none_match)},
    {"If-Modified-Since", offsetof(struct fields, if_modified_since)},
    {"If-Unmodified-Since", offsetof(struct fields, if_unmodified_since)},
};

/* One pass over all fields costs less than to look for each of six, and most begin otherwise. */
static void take_field(const char *name, const char *value, void *arg)
{
    int first = name[0] | 0x20;
    if (first != 'i' && first != 'r')
        return;
    for (size_t i = 0; i < sizeof field_table / sizeof field_table[0]; i++) {
        const char **place = (const char **)((char *)arg + field_table[i].offset);
        if (*place == NULL && strcasecmp(name, field_table[i].name) == 0)
            *place = value;
    }
}

/* What the header of every answer about a file is made of. */
struct answer {
    const struct files_choice *choice;
    struct conditional_entity entity;
    char tag[TAG_SIZE];
    char modified[HTTP_DATE_SIZE];
    char range[FILES_RANGE_SIZE];
    struct reply_header headers[8];
};

/* The tag of a coding is another one: they are different bytes. */
static void make_tag(const struct files_choice *choice, char tag[TAG_SIZE])
{
    etag_format(&choice->mtime, choice->size, tag);
    if (choice->coding == NULL)
        return;
    size_t at = strlen(tag) - 1;
    size_t len = strnlen(choice->coding, CODING_MAX);
    tag[at] = '-';
    memcpy(tag + at + 1, choice->coding, len);
    memcpy(tag + at + 1 + len, "\"", 2);
}

/*
 * A file from the future has no Last-Modified: it must not be later than the
 * answer (RFC 9110 section 8.8.2.1), and a made-up date could not be compared.
 */
static void make_validators(struct answer *answer, int64_t now_s)
{
    int64_t mtime_s = answer->choice->mtime.tv_sec;
    make_tag(answer->choice, answer->tag);
    answer->entity = (struct conditional_entity){answer->tag, mtime_s <= now_s ? mtime_s : -1};
    if (answer->entity.mtime_s >= 0)
        http_date_format(mtime_s, answer->modified);
}

static void add_header(struct answer *answer, size_t *n, const char *name, const char *value)
{
    if (value != NULL)
        answer->headers[(*n)++] = (struct reply_header){name, value};
}

/* Content-Range is the one of answer->range, if that is set. */
static void make_headers(struct answer *answer, int status)
{
    const struct files_choice *choice = answer->choice;
    bool has_content = status == 200 || status == 206;
    size_t n = 0;
    add_header(answer, &n, "ETag", answer->tag);
    add_header(answer, &n, "Last-Modified", answer->modified[0] != '\0' ? answer->modified : NULL);
    add_header(answer, &n, "Cache-Control", choice->cache_control);
    add_header(answer, &n, "Vary", choice->vary);
    if (has_content) {
        add_header(answer, &n, "Accept-Ranges", "bytes");
        add_header(answer, &n, "Content-Encoding", choice->coding);
    }
    add_header(answer, &n, "Content-Range", answer->range[0] != '\0' ? answer->range : NULL);
    answer->headers[n] = (struct reply_header){NULL, NULL};
}

static void send_not_modified(struct http_request *request, struct answer *answer)
{
    struct reply reply = {.status = 304, .headers = answer->headers};
    make_headers(answer, 304);
    close(answer->choice->fd);
    reply_send(request, &reply);
}

static void send_not_satisfiable(struct http_request *request, struct answer *answer)
{
    static const char body[] = "416 Range Not Satisfiable: the file is shorter\n";
    struct reply_header headers[] = {{"Content-Range", answer->range}, {NULL, NULL}};
    struct reply reply = {.status = 416,
                          .type = "text/plain; charset=utf-8",
                          .body = body,
                          .len = sizeof body - 1,
                          .headers = headers};
    files_range_format_none(answer->choice->size, answer->range);
    close(answer->choice->fd);
    reply_send(request, &reply);
}

static void send_whole(struct http_request *request, struct answer *answer)
{
    struct reply reply = {.status = 200, .type = answer->choice->type, .headers = answer->headers};
    struct reply_part whole = {NULL, 0, 0, answer->choice->size};
    make_headers(answer, 200);
    reply_file(request, &reply, answer->choice->fd, &whole, 1);
}

static void send_range(struct http_request *request, struct answer *answer,
                       const struct range *range)
{
    struct reply reply = {.status = 206, .type = answer->choice->type, .headers = answer->headers};
    struct reply_part part = {NULL, 0, range->offset, range->len};
    files_range_format(range, answer->choice->size, answer->range);
    make_headers(answer, 206);
    reply_file(request, &reply, answer->choice->fd, &part, 1);
}

static void send_ranges(struct http_request *request, struct answer *answer,
                        const struct range *ranges, size_t n)
{
    struct files_multipart multipart;
    files_multipart_make(&multipart, answer->choice->type, ranges, n, answer->choice->size);
    struct reply reply = {.status = 206, .type = multipart.type, .headers = answer->headers};
    make_headers(answer, 206);
    reply_file(request, &reply, answer->choice->fd, multipart.parts, multipart.n);
}

/* Range counts for GET only (RFC 9110 section 14.2), and if If-Range lets it. */
static void send_content(struct http_request *request, struct answer *answer,
                         const struct fields *fields, bool is_get)
{
    struct range ranges[RANGE_MAX];
    size_t n = 0;
    int rc = -EINVAL;
    if (fields->range != NULL && is_get &&
        conditional_range_holds(fields->if_range, &answer->entity))
        rc = range_parse(fields->range, answer->choice->size, ranges, RANGE_MAX, &n);
    if (rc == -ERANGE)
        send_not_satisfiable(request, answer);
    else if (rc < 0)
        send_whole(request, answer);
    else if (n == 1)
        send_range(request, answer, &ranges[0]);
    else
        send_ranges(request, answer, ranges, n);
}

static enum conditional_result judge(const struct fields *fields, const struct answer *answer,
                                     int64_t now_s)
{
    struct conditional_request conditions = {
        .if_match = fields->if_match,
        .if_none_match = fields->if_none_match,
        .if_modified_since = fields->if_modified_since,
        .if_unmodified_since = fields->if_unmodified_since,
        .is_get_or_head = true,
        .now_s = now_s,
    };
    return conditional_judge(&conditions, &answer->entity);
}

void files_send(struct http_request *request, const struct files_choice *choice)
{
    struct answer answer = {.choice = choice};
    struct fields fields = {.range = NULL};
    int64_t now_s = time(NULL);
    request_each_header(request, take_field, &fields);
    make_validators(&answer, now_s);
    switch (judge(&fields, &answer, now_s)) {
    case CONDITIONAL_NOT_MODIFIED:
        send_not_modified(request, &answer);
        return;
    case CONDITIONAL_FAILED:
        close(choice->fd);
        reply_error(request, 412, "the file is not the one that the request is about");
        return;
    case CONDITIONAL_SEND:
        send_content(request, &answer, &fields, request_method(request)[0] == 'G');
        return;
    }
}
