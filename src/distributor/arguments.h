/*
 * The command line of zombie-distributor, taken apart: what sets the configuration is as that of
 * zombie-server.
 */
#ifndef ZOMBIE_DISTRIBUTOR_ARGUMENTS_H
#define ZOMBIE_DISTRIBUTOR_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "conf/args.h"

struct distributor_arguments {
    struct conf_args conf; /* its action is one of RUN, CHECK, VERSION, HELP */
    bool asks;             /* --status, in place of the action */
    bool json;
};

/*
 * Take argv apart (getopt_long(3)); it must outlive *ret_arguments. Returns 0; or -EINVAL with
 * `error` (size bytes) set to what is wrong, or -ENOMEM. Free the result with arguments_clear().
 */
__attribute__((warn_unused_result)) int
distributor_arguments_parse(int argc, char **argv, struct distributor_arguments *ret_arguments,
                            char *error, size_t size);

void distributor_arguments_clear(struct distributor_arguments *arguments);

/* The text of -h: a constant. */
const char *distributor_arguments_usage(void);

#endif
