/*
 * The sources of configuration above the built-in one: each adds what it says
 * to the list of assignments, in the order of the functions here.
 */
#ifndef ZOMBIE_CONF_SOURCE_H
#define ZOMBIE_CONF_SOURCE_H

#include "conf/args.h"
#include "conf/assignments.h"
#include "conf/load.h"

/* What all sources get: where to add, what may be said, and where a refusal goes. */
struct conf_source {
    struct conf_assignments *list;
    const struct conf_handler *const *handlers;
    char *error; /* CONF_ERROR_SIZE bytes */
};

/* All functions return 0, or -EINVAL with the error set, or -ENOMEM. */

/* What holds when nobody says anything: one listener and the first routes. */
__attribute__((warn_unused_result)) int conf_source_builtin(const struct conf_source *source);

/*
 * Read the file at `path` and what it includes as assignments of that layer
 * (CONF_LAYER_FILE, CONF_LAYER_OVERLAY). Not reentrant: libConfuse is not.
 */
__attribute__((warn_unused_result)) int conf_source_file(const struct conf_source *source,
                                                         const char *path, enum conf_layer layer);

/* Read ZOMBIE_LISTEN, ZOMBIE_WORKERS and the others of environ(7). */
__attribute__((warn_unused_result)) int conf_source_environment(const struct conf_source *source);

/* Read -l, -w, -o and the others. */
__attribute__((warn_unused_result)) int conf_source_args(const struct conf_source *source,
                                                         const struct conf_args *args);

#endif
