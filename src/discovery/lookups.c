#include "config.h"

#include "discovery/lookups.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "discovery/cache.h"
#include "discovery/directory.h"

_Static_assert(SERVICES_MAX == CONF_REGISTRY_WATCH_MAX, "all that may be watched have a place");
_Static_assert(SERVICE_NAME_SIZE == CONF_REGISTRY_NAME_MAX + 1, "and room for their names");

/* Changes are collected for so long before they are written. */
#define SAVE_MS 1000

struct lookup {
    const char *service;
    struct member *members; /* as they are believed, sorted */
    size_t n;
    enum directory_origin origin;
    bool is_asked;          /* there was an answer or a failure */
    bool is_followed;       /* in the session there is */
    unsigned failures;      /* in a row */
    int64_t due_ms;         /* of the next try to follow it */
    int64_t empty_since_ms; /* INT64_MAX: it is not said to be empty */
};

struct lookups {
    struct lookups_settings settings;
    struct cache *cache;
    int64_t save_ms; /* INT64_MAX: there is nothing to write */
    bool is_saved;   /* the last time it was possible */
    size_t n;
    struct lookup items[SERVICES_MAX];
};

/* --- The list ------------------------------------------------------------------------ */

static struct lookup *find(struct lookups *lookups, const char *service)
{
    for (size_t i = 0; i < lookups->n; i++)
        if (strcmp(lookups->items[i].service, service) == 0)
            return &lookups->items[i];
    return NULL;
}

static void add(struct lookups *lookups, const char *service)
{
    if (lookups->n == SERVICES_MAX || find(lookups, service) != NULL)
        return;
    lookups->items[lookups->n++] = (struct lookup){.service = service, .empty_since_ms = INT64_MAX};
}

static void add_all(struct lookups *lookups)
{
    const struct conf *conf = lookups->settings.conf;
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (conf->upstreams[i].from_registry)
            add(lookups, conf->upstreams[i].title);
    for (size_t i = 0; i < conf->registry.watch.n; i++)
        add(lookups, conf->registry.watch.items[i]);
}

static int keep(struct lookup *lookup, const struct member *members, size_t n)
{
    struct member *copy = n > 0 ? calloc(n, sizeof *copy) : NULL;
    if (n > 0 && copy == NULL)
        return -ENOMEM;
    if (n > 0)
        memcpy(copy, members, n * sizeof *copy);
    free(lookup->members);
    lookup->members = copy;
    lookup->n = n;
    return 0;
}

/* --- The cache ------------------------------------------------------------------------- */

static void read_cache(struct lookups *lookups)
{
    static struct member members[MEMBERS_MAX];
    const char *path = lookups->settings.conf->registry.cache_file;
    if (path[0] == '\0')
        return;
    int err = cache_read(lookups->cache, path);
    if (err != 0 && err != -ENOENT)
        log_warning("the cache %s cannot be used: %s, beginning without it", path, strerror(-err));
    for (size_t i = 0; i < lookups->n; i++) {
        struct lookup *lookup = &lookups->items[i];
        size_t n = cache_get(lookups->cache, lookup->service, members);
        if (n > 0 && keep(lookup, members, n) == 0)
            lookup->origin = DIRECTORY_CACHED;
    }
}

void lookups_save(struct lookups *lookups)
{
    const char *path = lookups->settings.conf->registry.cache_file;
    bool is_due = lookups->save_ms != INT64_MAX;
    lookups->save_ms = INT64_MAX;
    if (!is_due || !directory_is_owned(lookups->settings.directory))
        return;
    int err = cache_write(lookups->cache, path);
    if (err != 0 && lookups->is_saved)
        log_warning("the cache %s cannot be written: %s, it stays as it was", path, strerror(-err));
    lookups->is_saved = err == 0;
}

/* What an earlier herald of this instance has found is newer than any file. */
static void read_directory(struct lookups *lookups)
{
    static struct directory_service known;
    for (size_t i = 0; i < lookups->n; i++) {
        struct lookup *lookup = &lookups->items[i];
        if (directory_find(lookups->settings.directory, lookup->service, &known) &&
            known.origin != DIRECTORY_UNKNOWN && keep(lookup, known.members, known.n) == 0)
            lookup->origin = known.origin == DIRECTORY_CURRENT ? DIRECTORY_STALE : known.origin;
    }
}

static void tell_cached(const struct lookups *lookups)
{
    for (size_t i = 0; i < lookups->n; i++)
        if (lookups->items[i].origin == DIRECTORY_CACHED)
            log_info("the service %s begins with %zu server%s of the cache %s",
                     lookups->items[i].service, lookups->items[i].n,
                     lookups->items[i].n == 1 ? "" : "s",
                     lookups->settings.conf->registry.cache_file);
}

static void note_for_cache(struct lookups *lookups, const struct lookup *lookup, int64_t now_ms)
{
    if (lookups->settings.conf->registry.cache_file[0] == '\0')
        return;
    if (cache_set(lookups->cache, lookup->service, lookup->members, lookup->n) == 0 &&
        lookups->save_ms == INT64_MAX)
        lookups->save_ms = now_ms + SAVE_MS;
}

/* --- What is known --------------------------------------------------------------------- */

static void set_origin(struct lookups *lookups, struct lookup *lookup, enum directory_origin origin)
{
    if (lookup->origin != origin)
        directory_set_origin(lookups->settings.directory, lookup->service, origin);
    lookup->origin = origin;
}

static bool is_in_directory(const struct lookups *lookups, const struct lookup *lookup)
{
    static struct directory_service known;
    return directory_find(lookups->settings.directory, lookup->service, &known) &&
           known.origin != DIRECTORY_UNKNOWN &&
           members_equal(known.members, known.n, lookup->members, lookup->n);
}

/* What the generation that serves knows nothing of may be told by the one that boots. */
static bool may_tell(const struct lookups *lookups, const struct lookup *lookup)
{
    struct directory *directory = lookups->settings.directory;
    return directory_is_owned(directory) || !directory_has(directory, lookup->service);
}

static void publish(struct lookups *lookups, const struct lookup *lookup)
{
    const struct lookups_settings *settings = &lookups->settings;
    if (!may_tell(lookups, lookup))
        return;
    if (is_in_directory(lookups, lookup))
        directory_set_origin(settings->directory, lookup->service, lookup->origin);
    else
        directory_set_members(settings->directory, lookup->service, lookup->members, lookup->n,
                              lookup->origin);
    settings->changed(lookup->service, lookup->members, lookup->n, settings->arg);
}

static void tell_change(const struct lookup *lookup)
{
    char text[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < lookup->n && i < 3; i++) {
        const struct member *member = &lookup->members[i];
        char one[MEMBER_PLACE_SIZE];
        (void)address_join(member->host, member->port, one, sizeof one);
        int rc = snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? ", " : ": ", one);
        len = rc > 0 && len + (size_t)rc < sizeof text ? len + (size_t)rc : sizeof text - 1;
    }
    log_info("the service %s has %zu server%s%s%s", lookup->service, lookup->n,
             lookup->n == 1 ? "" : "s", text, lookup->n > 3 ? ", ..." : "");
}

static void believe(struct lookups *lookups, struct lookup *lookup, const struct member *members,
                    size_t n, int64_t now_ms)
{
    bool is_first = lookup->origin == DIRECTORY_UNKNOWN;
    bool is_same = members_equal(lookup->members, lookup->n, members, n);
    lookup->empty_since_ms = INT64_MAX;
    if (is_same && !is_first) {
        set_origin(lookups, lookup, DIRECTORY_CURRENT);
        return;
    }
    if (!is_same && keep(lookup, members, n) != 0)
        return;
    lookup->origin = DIRECTORY_CURRENT;
    tell_change(lookup);
    publish(lookups, lookup);
    note_for_cache(lookups, lookup, now_ms);
}

static void doubt(struct lookups *lookups, struct lookup *lookup, int64_t now_ms)
{
    if (lookup->empty_since_ms != INT64_MAX)
        return;
    lookup->empty_since_ms = now_ms;
    set_origin(lookups, lookup, DIRECTORY_STALE);
    log_warning("the service %s has no server any more, the last known ones stay for %d ms",
                lookup->service, LOOKUPS_EMPTY_MS);
}

void lookups_found(struct lookups *lookups, const char *service, const struct member *members,
                   size_t n, int64_t now_ms)
{
    static struct member sorted[MEMBERS_MAX];
    struct lookup *lookup = find(lookups, service);
    if (lookup == NULL)
        return;
    if (n > MEMBERS_MAX) {
        log_warning("the service %s has %zu servers, the first %d are used", service, n,
                    MEMBERS_MAX);
        n = MEMBERS_MAX;
    }
    if (lookup->failures > 0)
        log_info("the service %s can be looked up again", service);
    lookup->is_asked = true;
    lookup->failures = 0;
    directory_add(lookups->settings.directory, DIRECTORY_LOOKUPS);
    if (n > 0)
        memcpy(sorted, members, n * sizeof *members);
    n = members_sort(sorted, n);
    if (n == 0 && lookup->n > 0)
        doubt(lookups, lookup, now_ms);
    else
        believe(lookups, lookup, sorted, n, now_ms);
}

void lookups_lost(struct lookups *lookups, const char *service, const char *why, double dice,
                  int64_t now_ms)
{
    struct lookup *lookup = find(lookups, service);
    if (lookup == NULL)
        return;
    lookup->is_asked = true;
    lookup->is_followed = false;
    lookup->empty_since_ms = INT64_MAX;
    lookup->failures++;
    int64_t wait_ms = backoff_ms(lookups->settings.backoff, lookup->failures, dice);
    lookup->due_ms = now_ms + wait_ms;
    directory_add(lookups->settings.directory, DIRECTORY_LOOKUP_FAILURES);
    if (lookup->origin == DIRECTORY_CURRENT)
        set_origin(lookups, lookup, DIRECTORY_STALE);
    if (backoff_is_told(lookup->failures))
        log_warning("the service %s cannot be looked up: %s, %s; trying again in %" PRId64 " ms",
                    service, why,
                    lookup->n > 0 ? "its last known servers stay" : "no server of it is known",
                    wait_ms);
}

void lookups_end_session(struct lookups *lookups, int64_t now_ms)
{
    for (size_t i = 0; i < lookups->n; i++) {
        struct lookup *lookup = &lookups->items[i];
        if (lookup->is_followed)
            lookup->due_ms = now_ms;
        lookup->is_followed = false;
        lookup->empty_since_ms = INT64_MAX;
        if (lookup->origin == DIRECTORY_CURRENT)
            set_origin(lookups, lookup, DIRECTORY_STALE);
    }
}

/* --- When ------------------------------------------------------------------------------ */

const char *lookups_next(struct lookups *lookups, int64_t now_ms)
{
    for (size_t i = 0; i < lookups->n; i++) {
        struct lookup *lookup = &lookups->items[i];
        if (lookup->is_followed || lookup->due_ms > now_ms)
            continue;
        lookup->is_followed = true;
        return lookup->service;
    }
    return NULL;
}

int64_t lookups_due_ms(const struct lookups *lookups)
{
    int64_t due_ms = lookups->save_ms;
    for (size_t i = 0; i < lookups->n; i++) {
        const struct lookup *lookup = &lookups->items[i];
        if (!lookup->is_followed)
            due_ms = clock_sooner_ms(due_ms, lookup->due_ms);
        if (lookup->empty_since_ms != INT64_MAX)
            due_ms = clock_sooner_ms(due_ms, lookup->empty_since_ms + LOOKUPS_EMPTY_MS);
    }
    return due_ms;
}

int64_t lookups_save_due_ms(const struct lookups *lookups)
{
    return lookups->save_ms;
}

void lookups_step(struct lookups *lookups, int64_t now_ms)
{
    for (size_t i = 0; i < lookups->n; i++) {
        struct lookup *lookup = &lookups->items[i];
        if (lookup->empty_since_ms != INT64_MAX &&
            now_ms - lookup->empty_since_ms >= LOOKUPS_EMPTY_MS)
            believe(lookups, lookup, NULL, 0, now_ms);
    }
    if (lookups->save_ms <= now_ms)
        lookups_save(lookups);
}

/* --- From begin to end ------------------------------------------------------------------ */

int lookups_new(const struct lookups_settings *settings, struct lookups **ret_lookups)
{
    struct lookups *lookups = calloc(1, sizeof *lookups);
    if (lookups == NULL)
        return -ENOMEM;
    lookups->settings = *settings;
    lookups->save_ms = INT64_MAX;
    lookups->is_saved = true;
    lookups->cache = cache_new();
    if (lookups->cache == NULL) {
        free(lookups);
        return -ENOMEM;
    }
    add_all(lookups);
    read_cache(lookups);
    read_directory(lookups);
    tell_cached(lookups);
    *ret_lookups = lookups;
    return 0;
}

static void set_services(struct lookups *lookups)
{
    const char *names[SERVICES_MAX];
    for (size_t i = 0; i < lookups->n; i++)
        names[i] = lookups->items[i].service;
    directory_set_services(lookups->settings.directory, names, lookups->n);
}

void lookups_publish(struct lookups *lookups, int64_t now_ms)
{
    set_services(lookups);
    for (size_t i = 0; i < lookups->n; i++) {
        if (lookups->items[i].origin == DIRECTORY_UNKNOWN)
            continue;
        publish(lookups, &lookups->items[i]);
        note_for_cache(lookups, &lookups->items[i], now_ms);
    }
}

size_t lookups_count(const struct lookups *lookups)
{
    return lookups->n;
}

bool lookups_are_settled(const struct lookups *lookups)
{
    for (size_t i = 0; i < lookups->n; i++)
        if (!lookups->items[i].is_asked && lookups->items[i].n == 0)
            return false;
    return true;
}

void lookups_free(struct lookups *lookups)
{
    if (lookups == NULL)
        return;
    for (size_t i = 0; i < lookups->n; i++)
        free(lookups->items[i].members);
    cache_free(lookups->cache);
    free(lookups);
}
