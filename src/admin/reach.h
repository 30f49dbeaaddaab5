/*
 * Who may ask the admin site for what: the address it listens on, the names in
 * Host, the token, and whether a browser was sent here by another site. Pure.
 */
#ifndef ZOMBIE_ADMIN_REACH_H
#define ZOMBIE_ADMIN_REACH_H

#include <stdbool.h>

/* What a request is for. */
enum reach_need {
    REACH_NOTHING, /* probes and the page without data: everybody may */
    REACH_READING, /* beyond this machine: with the token */
    REACH_ORDERS   /* always with the token, and not for other sites */
};

enum reach_answer {
    REACH_GRANTED,
    REACH_OTHER_HOST,   /* 421: Host names somebody else (DNS rebinding) */
    REACH_OTHER_ORIGIN, /* 403: a browser sends this for another site */
    REACH_NO_ORDERS,    /* 403: there is no token that would allow it */
    REACH_NO_TOKEN,     /* 401 (RFC 6750 section 3) */
    REACH_WRONG_TOKEN,  /* 401, with error="invalid_token" */
};

/* What the configuration says. */
struct reach_rules {
    bool is_local;     /* only this machine can reach the site */
    bool own_names;    /* Host must name the loopback: localhost, 127.0.0.0/8, [::1] */
    const char *token; /* "": none */
};

/* What the request says; fields that it lacks are NULL. */
struct reach_request {
    const char *host; /* "": none */
    const char *authorization;
    const char *origin;     /* RFC 6454 section 7 */
    const char *fetch_site; /* Sec-Fetch-Site, W3C Fetch Metadata */
};

/* The time that it takes depends on what was sent, and not on how much of the token is right. */
enum reach_answer reach_judge(const struct reach_rules *rules, enum reach_need need,
                              const struct reach_request *request);

#endif
