/*
 * The servers whose addresses are names: each name is looked up, again and again,
 * and what it stands for is told to the balancer.
 */
#ifndef ZOMBIE_HERALD_NAMES_H
#define ZOMBIE_HERALD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct balancer;
struct conf;
struct conf_server;
struct event_base;
struct names;
struct resolver_settings;

struct names_settings {
    const struct resolver_settings *resolver; /* its loop is that of the names, too */
    const struct conf *conf;
    struct balancer *balancer;
    void (*changed)(void *arg); /* the balancer knows of addresses that may be new */
    void *arg;
};

/* Whether a configuration has a name in it. */
bool names_are_wanted(const struct conf *conf);

/* Make the list of names; all of it is borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int names_new(const struct names_settings *settings,
                                                  struct names **ret_names);

/* Begin to look them up. */
void names_begin(struct names *names);

/*
 * The servers that were found for an upstream are these now, in place of those found before: what
 * names they have is looked up as well. The servers are borrowed for the call.
 */
void names_set_found(struct names *names, const char *upstream, const struct conf_server *servers,
                     size_t n);

/* Whether each one has been looked up once, found or not. */
bool names_are_settled(const struct names *names);

/* Look nothing up any more, and free; NULL is fine. */
void names_free(struct names *names);

#endif
