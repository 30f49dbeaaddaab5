/*
 * Answering with an open file: validators, conditions (RFC 9110 section 13),
 * ranges (section 14).
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_SEND_H
#define ZOMBIE_HTTP_HANDLERS_FILES_SEND_H

#include <stdint.h>
#include <time.h>

struct http_request;

/* A representation that was chosen, and what its route says about it. Texts are borrowed. */
struct files_choice {
    int fd;
    uint64_t size;         /* in bytes */
    struct timespec mtime; /* since the epoch */
    const char *type;      /* at most FILES_TYPE_MAX bytes */
    const char *coding;    /* Content-Encoding, which also tells entity tags apart; NULL: none */
    const char *vary;      /* NULL: there is no other representation */
    const char *cache_control; /* NULL: not sent */
};

/*
 * Answer 200, 206, 304, 412 or 416. choice->fd is closed in any case, now or
 * when the answer is out. A HEAD is never partial (RFC 9110 section 14.2).
 */
void files_send(struct http_request *request, const struct files_choice *choice);

#endif
