/*
 * Discovery as the herald does it: the instance is registered with one server of a registry at a
 * time, services are looked up there, and the directory is told all of it. Nobody else waits for
 * a registry.
 *
 *   configuration --> registration (when, pure) --> driver (how) --> registry
 *                     lookups (what is known) <---- driver <-------- registry
 *                        \--> directory, cache file, upstreams
 */
#ifndef ZOMBIE_DISCOVERY_DISCOVERY_H
#define ZOMBIE_DISCOVERY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "discovery/member.h"

struct conf;
struct directory;
struct discovery;
struct event_base;
struct tls_client;

struct discovery_settings {
    struct event_base *base;
    const struct conf *conf;
    struct directory *directory;
    struct tls_client *tls;         /* NULL: no URL has https */
    const char *refusal;            /* why no registry can be spoken with; NULL: nothing is wrong */
    const struct address *listener; /* the first TCP listener as it is bound; NULL: there is none */
    unsigned (*serving)(void *arg); /* how many workers serve now */
    bool (*stopping)(void *arg);    /* whether the whole instance stops */
    /* See lookups.h. */
    void (*changed)(const char *service, const struct member *members, size_t n, void *arg);
    void (*settled)(void *arg); /* discovery_is_settled() may have become true */
    void *arg;
};

/* Whether a configuration has a registry. */
bool discovery_is_wanted(const struct conf *conf);

/* All of it is borrowed. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int discovery_new(const struct discovery_settings *settings,
                                                      struct discovery **ret_discovery);

/*
 * Begin to look up, and to register once the master has given the directory to this process: then
 * its generation serves.
 */
void discovery_begin(struct discovery *discovery);

/* Whether the instance was registered and each service looked up, or there was a try. */
bool discovery_is_settled(const struct discovery *discovery);

/*
 * Come to an end: within registry.deregister_timeout_ms, or twice that when a successor has to be
 * waited for. When the instance stops, the registry is told; when this is one generation making
 * room for the next, only if that one registers something else. Whom a signal has told to leave
 * cannot know which of both it is, and waits a moment for settings->stopping(). `done` comes once,
 * also from within.
 */
void discovery_leave(struct discovery *discovery, bool stopping, void (*done)(void *arg),
                     void *arg);

/* NULL is fine. */
void discovery_free(struct discovery *discovery);

#endif
