/*
 * The services that a session with a Distributor follows: who of a list is theirs, and who has
 * been told.
 */
#ifndef ZOMBIE_DISCOVERY_DISTRIBUTOR_FOLLOW_H
#define ZOMBIE_DISCOVERY_DISTRIBUTOR_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "discovery/member.h"

struct distributor_node;
struct driver_settings;

struct distributor_followed {
    char name[SERVICE_NAME_SIZE];
    bool is_lost;
    bool is_waiting;        /* for its first list, since it is followed or of the connection */
    struct member *members; /* of the list that is read */
    size_t n, size;
};

/* All zero follows none. */
struct distributor_follow {
    struct distributor_followed *services[SERVICES_MAX];
    size_t n;
    bool is_short; /* of memory for the list that is read */
};

/* Follow a service, which then waits. Returns 0, or -ENOMEM, for too many as well. */
__attribute__((warn_unused_result)) int distributor_follow_add(struct distributor_follow *follow,
                                                               const char *service);

/* All but those that are lost wait again. */
void distributor_follow_again(struct distributor_follow *follow);

/* Read another list: what is left of one before goes, then each of its nodes is taken. */
void distributor_follow_read(struct distributor_follow *follow);
void distributor_follow_take(struct distributor_follow *follow,
                             const struct distributor_node *node);

/*
 * Call found() with what was read, for those that wait, or for all but the lost. From in there
 * the session may be told anything.
 */
void distributor_follow_tell(struct distributor_follow *follow, bool to_all,
                             const struct driver_settings *settings);

/* Those that wait are lost, as the Distributor cannot be reached; `why` is for the log. */
void distributor_follow_lose(struct distributor_follow *follow, const char *why,
                             const struct driver_settings *settings);

/* Follow none, and free the memory. */
void distributor_follow_clear(struct distributor_follow *follow);

#endif
