/*
 * A server on the loop of the test that says what it was told to say, whatever it is asked.
 */
#ifndef ZOMBIE_TESTS_HTTP_PEER_FIXTURE_H
#define ZOMBIE_TESTS_HTTP_PEER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/util.h>

#include "base/bytes.h"

struct bufferevent;
struct event;
struct event_base;
struct evconnlistener;

/* What becomes of a request. */
struct http_peer_answer {
    const char *text;  /* sent at once; NULL: none */
    const char *flood; /* sent after that, again and again; NULL: none */
    bool is_slow;      /* a byte of the text at a time */
    bool is_last;      /* the connection is closed after it */
};

#define HTTP_PEER_CONNECTIONS 16

struct http_peer {
    struct event_base *base;
    struct evconnlistener *listener;
    unsigned port;
    const struct http_peer_answer *answers; /* one a request; the last one stays */
    size_t n_answers;
    size_t n_asked;
    size_t n_accepted;
    size_t n_sent;                         /* bytes of floods that were taken */
    struct bytes heard;                    /* the request that came last */
    bool is_heard;                         /* all of it */
    const struct http_peer_answer *answer; /* the one given last */
    struct bufferevent *whom;              /* to whom */
    struct bufferevent *slow;              /* the same, while it is slow */
    struct event *timer;                   /* of its next byte */
    size_t said;                           /* bytes of it */
    struct bufferevent *bevs[HTTP_PEER_CONNECTIONS];

    /* To be set for TLS. */
    struct bufferevent *(*wrap)(struct http_peer *peer, evutil_socket_t fd);
    void *context;

    bool is_hasty; /* answers as soon as anything comes */
};

/* Listen on a free port of 127.0.0.1, or of another address without port. */
void http_peer_open(struct http_peer *peer, struct event_base *base, const char *address);

/* What it says from the next request on. */
void http_peer_say(struct http_peer *peer, const struct http_peer_answer *answers, size_t n);

/* Close all connections that there are. */
void http_peer_hang_up(struct http_peer *peer);

void http_peer_close(struct http_peer *peer);

#endif
