/*
 * The identity as a page in two languages and as plain text.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_IDENTITY_PAGE_H
#define ZOMBIE_HTTP_HANDLERS_IDENTITY_PAGE_H

#include <stdint.h>

struct worker_identity;

enum identity_language { IDENTITY_ENGLISH, IDENTITY_KOREAN };

struct identity_facts {
    const struct worker_identity *identity;
    int64_t uptime_ms;
    unsigned long requests;      /* answered by this worker, this one included */
    const char *accept_language; /* the header as sent, or NULL */
};

/* A whole HTML document in UTF-8, allocated; NULL when memory is short. */
char *identity_page_html(const struct identity_facts *facts, enum identity_language language);

/* One "name: value" a line, allocated; NULL when memory is short. */
char *identity_page_text(const struct identity_facts *facts);

#endif
