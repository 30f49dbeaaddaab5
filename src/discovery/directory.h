/*
 * What is known of other services and of our own registration, in shared memory: the herald
 * writes, anyone looks. A herald that was taken over may write anything; who looks then sees
 * nonsense, but reads nowhere else and does not wait.
 */
#ifndef ZOMBIE_DISCOVERY_DIRECTORY_H
#define ZOMBIE_DISCOVERY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "discovery/driver.h"
#include "discovery/member.h"

/* Rises when the bytes mean something else. */
#define DIRECTORY_LAYOUT 1

/* Room for texts, terminating NUL included; longer ones are cut. */
#define DIRECTORY_URL_SIZE   256
#define DIRECTORY_ERROR_SIZE 256

struct directory;

/* Where the members of a service are from. */
enum directory_origin {
    DIRECTORY_UNKNOWN, /* there was no answer yet, and nothing in the cache */
    DIRECTORY_CACHED,  /* the cache file of an earlier run */
    DIRECTORY_STALE,   /* the registry, which does not answer now */
    DIRECTORY_CURRENT,
    DIRECTORY_ORIGINS
};

/* One service, for who looks. */
struct directory_service {
    char name[SERVICE_NAME_SIZE];
    enum directory_origin origin;
    uint64_t version;   /* rises with each change of the members */
    int64_t changed_ms; /* wall clock; 0: never */
    size_t n;
    struct member members[MEMBERS_MAX];
};

enum directory_state {
    DIRECTORY_OFF, /* no registration is wanted, or none was begun */
    DIRECTORY_REGISTERING,
    DIRECTORY_REGISTERED,
    DIRECTORY_RETRYING, /* it has failed, see `error` */
    DIRECTORY_LEAVING,
    DIRECTORY_GONE, /* deregistered */
    DIRECTORY_STATES
};

/* What is counted, for the whole life of the instance. */
enum directory_count {
    DIRECTORY_REGISTRATIONS,
    DIRECTORY_HEARTBEATS,
    DIRECTORY_FAILURES, /* of tasks, and sessions that broke */
    DIRECTORY_FORGOTTEN,
    DIRECTORY_FAILOVERS, /* another server was tried */
    DIRECTORY_LOOKUPS,   /* answers */
    DIRECTORY_LOOKUP_FAILURES,
    DIRECTORY_COUNTS
};

/* Our own registration. */
struct directory_registration {
    enum directory_state state;
    enum driver_status status; /* as told last */
    uint64_t key;              /* of what is registered where: the same for the same */
    char app[SERVICE_NAME_SIZE];
    char instance_id[MEMBER_ID_SIZE];
    char host[MEMBER_HOST_SIZE];
    uint32_t port;
    char url[DIRECTORY_URL_SIZE];     /* of the server in use, without credentials */
    char error[DIRECTORY_ERROR_SIZE]; /* of the last failure; "": none since the last success */
    int64_t heard_ms;                 /* wall clock of the last answer; 0: none */
    int64_t retry_ms;                 /* monotonic clock of the next try, when RETRYING */
};

/* --- The memory: as balancer_new(), balancer_adopt(), balancer_fd() ------------------ */

__attribute__((warn_unused_result)) int directory_new(struct directory **ret_directory);
__attribute__((warn_unused_result)) int directory_adopt(int fd, struct directory **ret_directory);
int directory_fd(const struct directory *directory);
void directory_free(struct directory *directory);

/* --- The master: who writes ------------------------------------------------------------- */

/* Who it is now; 0: nobody. */
pid_t directory_writer(const struct directory *directory);

/* This process does, which is about to register: REGISTERING, with key 0, until it says more. */
void directory_give(struct directory *directory, pid_t writer);

/* Nobody does any more: there is no registry; or its herald has died, and what is known is old. */
void directory_clear(struct directory *directory);
void directory_orphan(struct directory *directory);

/* --- The herald ------------------------------------------------------------------------ */

/* Whether this process writes: what any other says is passed over. */
bool directory_is_owned(const struct directory *directory);

/* These services and no others are watched from now on; what is known of those that stay, stays. */
void directory_set_services(struct directory *directory, const char *const *names, size_t n);

/* Put a list in place, sorted; n <= MEMBERS_MAX. For a name that is not watched nothing happens. */
void directory_set_members(struct directory *directory, const char *name,
                           const struct member *members, size_t n, enum directory_origin origin);

/* The same members, from elsewhere. */
void directory_set_origin(struct directory *directory, const char *name,
                          enum directory_origin origin);

void directory_set_registration(struct directory *directory,
                                const struct directory_registration *registration);
void directory_add(struct directory *directory, enum directory_count count);

/* --- Who looks --------------------------------------------------------------------------- */

/* The service at place i, 0 <= i < SERVICES_MAX; false: there is none at it. */
bool directory_at(struct directory *directory, size_t i, struct directory_service *ret_service);

/* Whether a service of this name is watched. */
bool directory_has(struct directory *directory, const char *name);

/* The service of this name; false: it is not watched. */
bool directory_find(struct directory *directory, const char *name,
                    struct directory_service *ret_service);

void directory_read_registration(struct directory *directory,
                                 struct directory_registration *ret_registration);
uint64_t directory_read_count(struct directory *directory, enum directory_count count);

/* A turn of the service, for round robin: rises by one with each call, of any process. */
uint64_t directory_turn(struct directory *directory, const char *name);

/* "registered" and so on; "unknown" for any other number. */
const char *directory_state_name(enum directory_state state);
const char *directory_origin_name(enum directory_origin origin);

#endif
