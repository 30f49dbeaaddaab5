/*
 * A session of the driver for Distributors, and the peer that it speaks with: a plain socket of
 * the test. What the session tells is noted as a text.
 */
#ifndef ZOMBIE_TESTS_DISTRIBUTOR_FIXTURE_H
#define ZOMBIE_TESTS_DISTRIBUTOR_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/registry.h"
#include "discovery/driver.h"

struct fixture {
    struct event_base *base;
    struct conf_registry conf;
    struct registry_url url;
    struct conf_list routes;
    struct driver_record record;
    void *session;
    int listener;
    int peer; /* the connection of the session; -1: none */
    char noted[4096];
    void (*on_found)(struct fixture *fixture); /* from within found(), once */
};

/* Listen; there is no session yet. */
void fixture_init(struct fixture *fixture);
void fixture_free(struct fixture *fixture);

/* A socket with a port of its own that does not listen. */
int fixture_bind(unsigned *ret_port);

/* Open the session, and accept its connection, or not. */
void fixture_open(struct fixture *fixture);
void fixture_open_only(struct fixture *fixture);
void fixture_accept(struct fixture *fixture);

void fixture_begin(struct fixture *fixture, enum driver_task task, enum driver_status status);

/* Run the loop until the peer has received all of this text. */
void fixture_expect(struct fixture *fixture, const char *text);

/* Run the loop until the peer sees the end of the connection; then there is none. */
void fixture_expect_end(struct fixture *fixture);

/* Send it; in pieces of so many bytes, if not 0, each of which is read alone. */
void fixture_send(struct fixture *fixture, const char *data, size_t len, size_t piece);
void fixture_say(struct fixture *fixture, const char *text);

/* Run the loop until this, and nothing else, was noted; then forget it. */
void fixture_await(struct fixture *fixture, const char *noted);

/* Whether nothing was noted, and nothing is after some turns. */
bool fixture_is_quiet(struct fixture *fixture);

#endif
