/*
 * What the tests of discovery share: a driver that does what the test says, and what was said by
 * it and to it.
 */
#ifndef ZOMBIE_TESTS_DISCOVERY_FIXTURE_H
#define ZOMBIE_TESTS_DISCOVERY_FIXTURE_H

#include <stdbool.h>

#include "base/address.h"
#include "conf/conf.h"
#include "discovery/directory.h"
#include "discovery/driver.h"

struct discovery;
struct event;
struct event_base;

/* The session that is open, and what was said so far: "open0 register-UP ..." */
extern struct fixture_world {
    struct event_base *base;
    struct conf conf;
    struct registry_url urls[2];
    char *watched[1];
    struct directory *directory;
    struct discovery *discovery;
    struct address listener;
    struct driver_settings driver;
    bool is_open;
    bool answers; /* tasks end with `outcome`, else they run on */
    enum driver_outcome outcome;
    struct event *answer;
    struct event *tick;
    unsigned serving;
    bool stopping;
    const char *refusal;
    bool has_left;
    char said[1024];
} world;

/* For cmocka. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Make a discovery with this listener and begin. */
void make(const struct address *listener);

/* Turn the loop until this was said, and nothing else; or at least this. */
void await(const char *wanted);
void await_part(const char *wanted);
void await_registered(void);

/* How the registration stands in the directory. */
struct directory_registration look(void);

/* Notes " left", and that it comes once; its argument is the world. */
void on_left(void *arg);

#endif
