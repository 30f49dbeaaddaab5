/*
 * One server of a service, as a registry has it, in plain bytes: it lies in shared memory
 * as well.
 */
#ifndef ZOMBIE_DISCOVERY_MEMBER_H
#define ZOMBIE_DISCOVERY_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for texts, terminating NUL included; a member with longer ones is left out. */
#define MEMBER_ID_SIZE   192
#define MEMBER_HOST_SIZE 256

/* Room for "[HOST]:PORT", terminating NUL included. */
#define MEMBER_PLACE_SIZE (MEMBER_HOST_SIZE + 8)

/* The most members of a service, and services that are watched. */
#define MEMBERS_MAX  256
#define SERVICES_MAX 64

/* Room for the name of a service, terminating NUL included. */
#define SERVICE_NAME_SIZE 128

/* The largest numbers of a member that somebody else tells of, as the configuration has them. */
#define MEMBER_WEIGHT_MAX          65535
#define MEMBER_MAX_FAILS_MAX       1000000
#define MEMBER_FAIL_TIMEOUT_MAX_MS 86400000

struct member {
    char id[MEMBER_ID_SIZE];     /* like no other of the service */
    char host[MEMBER_HOST_SIZE]; /* an address, IPv6 without brackets, or a name */
    uint32_t port;               /* 1..65535 */
    uint32_t weight;             /* 1..65535 */
    uint32_t max_fails;          /* 0: never left out */
    uint32_t fail_timeout_ms;
    uint32_t is_down; /* registered, but not to be asked */
};

/* What a registry says of one who says nothing of these: weight 1, max_fails 1, 10 s, up. */
void member_init(struct member *member);

/*
 * Copy texts of so many bytes; returns whether they fit and can be used: an id of printable
 * UTF-8, a host of letters, digits, '.', '-', '_' and ':'.
 */
__attribute__((warn_unused_result)) bool member_set_id(struct member *member, const char *id,
                                                       size_t len);
__attribute__((warn_unused_result)) bool member_set_host(struct member *member, const char *host,
                                                         size_t len);

/* Sort by id, leave out what is there twice; returns how many are left. */
size_t members_sort(struct member *members, size_t n);

/* Whether both lists, sorted, are the same. */
bool members_equal(const struct member *a, size_t n_a, const struct member *b, size_t n_b);

#endif
