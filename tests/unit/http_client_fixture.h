/*
 * The HTTP client and the server that it asks, both on the loop of the test.
 */
#ifndef ZOMBIE_TESTS_HTTP_CLIENT_FIXTURE_H
#define ZOMBIE_TESTS_HTTP_CLIENT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "conf/registry.h"
#include "discovery/http_client.h"
#include "http_peer_fixture.h"

struct event_base;
struct evdns_base;
struct tls_client;

#define CALL_TIMEOUT_MS 60000 /* longer than any case takes */
#define CALL_SHORT_MS   100   /* where it is waited for */
#define CALL_BODY_MAX   100000

/* A name of 127.0.0.1. */
#define CALL_NAME "one.registry.test"

struct call_world {
    struct event_base *base;
    struct evdns_base *dns;
    struct http_peer peer;
    struct registry_url url;
    char host[64], path[8];
    struct http_client *client;
    struct http_client_call *call; /* to be cancelled at a line */

    /* Of the calls since the last one began. */
    unsigned n_done;
    int status;
    char error[512];
    char type[64];
    struct bytes body, lines; /* each line with a '|' behind it */
};

/* "good" in a body of known length. */
extern const struct http_peer_answer call_good;

/* The server is on an address, the client knows it by a name or address. user, tls: or NULL. */
void call_set_up_as(struct call_world *world, const char *host, const char *address,
                    const char *user, struct tls_client *tls);
void call_set_up(struct call_world *world);
void call_tear_down(struct call_world *world);

/* A GET. timeout_ms 0: long. */
struct http_client_call *call_send(struct call_world *world, bool is_stream, long timeout_ms);

/* Until a call is done, or a line was. */
void call_run(struct call_world *world);

/* One that gets this answer. */
void call_get(struct call_world *world, const struct http_peer_answer *answer);

/* Callbacks of requests; arg is the world. */
void call_on_done(const struct http_client_answer *answer, void *arg);
void call_on_line(const char *line, size_t len, void *arg);

const char *call_text(const struct bytes *bytes);

#endif
