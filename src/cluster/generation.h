/*
 * A generation: a configuration, the sockets it names, and the number that the
 * workers born under them carry. A reload brings the next one.
 */
#ifndef ZOMBIE_CLUSTER_GENERATION_H
#define ZOMBIE_CLUSTER_GENERATION_H

#include "cluster/purpose.h"

struct conf;
struct listeners;

struct generation {
    unsigned number; /* 1 at start, rises with each reload and upgrade */
    struct conf *conf;
    struct listeners *listeners[PURPOSES]; /* none is NULL */
    int access_log_fd;                     /* what its workers write to; -1: none is kept */
};

/* Room for what is said of a failure. */
#define GENERATION_ERROR_SIZE 512

/*
 * Make one: opens what `pools`, a set for each purpose (NULL: nothing), have not
 * open already. On success it owns conf. Returns 0; or -errno, `error` says why, and
 * conf is still the caller's.
 */
__attribute__((warn_unused_result)) int generation_new(unsigned number, struct conf *conf,
                                                       struct listeners *const pools[PURPOSES],
                                                       struct generation **ret_generation,
                                                       char error[GENERATION_ERROR_SIZE]);

/* The same, with sockets that are open already and belong to it on success. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int generation_adopt(unsigned number, struct conf *conf,
                                                         struct listeners *const sets[PURPOSES],
                                                         struct generation **ret_generation);

/*
 * Open the access log that its configuration names, or open it again. Returns
 * 0; or -errno, `error` says why, and nothing has changed.
 */
__attribute__((warn_unused_result)) int
generation_open_access_log(struct generation *generation, char error[GENERATION_ERROR_SIZE]);

/* Let go of its sockets and free it with its configuration; NULL is fine. */
void generation_free(struct generation *generation);

#endif
