/*
 * What is asked of the directory of services by those who look from outside, and the answer
 * as JSON: the same on the control socket and on the admin site.
 */
#ifndef ZOMBIE_CONTROL_INQUIRY_H
#define ZOMBIE_CONTROL_INQUIRY_H

#include <stdbool.h>

#include <jansson.h>

struct directory;

/* Texts are borrowed; "" stands for none. */
struct inquiry {
    const char *service; /* none: all are listed, and there is nothing else */
    const char *choose;  /* "round_robin", "random" or "sticky": one member; none: all */
    const char *key;     /* for sticky */
};

enum inquiry_end {
    INQUIRY_ANSWERED,
    INQUIRY_BAD,     /* it makes no sense */
    INQUIRY_UNKNOWN, /* the service is not watched */
    INQUIRY_NOBODY,  /* no member can be chosen */
    INQUIRY_FAILED   /* memory is short */
};

/* Room for the reason, terminating NUL included. */
#define INQUIRY_WHY_SIZE 256

/*
 * Set *ret_json, the caller's, to the answer: a list, {"services":[...]}; a service with
 * "members"; or one with the "member" that was chosen; doc/protocol.md has their members. Or set
 * `why` to a line of text. directory is NULL where there is no registry: nothing is watched.
 */
enum inquiry_end inquiry_answer(struct directory *directory, const struct inquiry *inquiry,
                                json_t **ret_json, char why[INQUIRY_WHY_SIZE]);

/*
 * False for a service of which nothing is known yet, with the origin "unknown": that it has no
 * members says nothing.
 */
bool inquiry_is_known(const json_t *answer);

#endif
