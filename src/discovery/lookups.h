/*
 * The services that are watched: what is known of each, from where, and when it is to be asked
 * for again. The last known list outlives errors; an empty one counts once it has lasted.
 * Time and dice are the caller's.
 */
#ifndef ZOMBIE_DISCOVERY_LOOKUPS_H
#define ZOMBIE_DISCOVERY_LOOKUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "discovery/backoff.h"
#include "discovery/driver.h"
#include "discovery/member.h"

struct conf;
struct directory;
struct lookups;

/* So long a service that had members is empty before that is believed, in milliseconds. */
#define LOOKUPS_EMPTY_MS 10000

struct lookups_settings {
    const struct conf *conf;     /* registry.watch, and upstreams with from_registry */
    struct directory *directory; /* is told all of it */
    const struct backoff_rule *backoff;
    /* The members of a service are others than before, sorted; the first time also when n is 0. */
    void (*changed)(const char *service, const struct member *members, size_t n, void *arg);
    void *arg;
};

/* All of it is borrowed. Reads the cache file, if there is one. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int lookups_new(const struct lookups_settings *settings,
                                                    struct lookups **ret_lookups);
void lookups_free(struct lookups *lookups);

/*
 * Tell directory and `changed` all that is known: at the begin, and when the directory has become
 * ours. Before that they are told only of services that the directory does not have.
 */
void lookups_publish(struct lookups *lookups, int64_t now_ms);

size_t lookups_count(const struct lookups *lookups);

/* Whether each service has members, or was asked for once, with or without an answer. */
bool lookups_are_settled(const struct lookups *lookups);

/* A service that is to be followed from now on, or NULL: none before lookups_due_ms(). */
const char *lookups_next(struct lookups *lookups, int64_t now_ms);

/* When to call lookups_next() and lookups_step() again; INT64_MAX: never. */
int64_t lookups_due_ms(const struct lookups *lookups);

/* The same for the cache file alone. */
int64_t lookups_save_due_ms(const struct lookups *lookups);

/* Believe what has lasted, and write the cache file when it is time for that. */
void lookups_step(struct lookups *lookups, int64_t now_ms);

/* What a session says, see driver.h. */
void lookups_found(struct lookups *lookups, const char *service, const struct member *members,
                   size_t n, int64_t now_ms);
void lookups_lost(struct lookups *lookups, const char *service, const char *why, double dice,
                  int64_t now_ms);

/* There is no session any more: all are to be followed again in the next one. */
void lookups_end_session(struct lookups *lookups, int64_t now_ms);

/* Write the cache file now, if anything has changed. */
void lookups_save(struct lookups *lookups);

#endif
