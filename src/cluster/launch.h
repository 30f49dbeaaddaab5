/*
 * How the program was started, so that the master can read its configuration
 * again and put a newer program in its own place.
 */
#ifndef ZOMBIE_CLUSTER_LAUNCH_H
#define ZOMBIE_CLUSTER_LAUNCH_H

#include "conf/args.h"
#include "conf/load.h"

/* The environment variable that names the descriptor of a predecessor's state. */
#define LAUNCH_STATE_VARIABLE "ZOMBIE_STATE_FD"

struct launch {
    const struct conf_args *args;
    char *const *argv;
    char *folder;     /* that relative paths of the command line start from; NULL: it was gone */
    char *program;    /* path that an upgrade executes; NULL: it could not be found out */
    int state_fd;     /* what a predecessor left, see upgrade.h; -1: a fresh start */
    int first_socket; /* of those that a service manager passed (sd_listen_fds(3)), */
    size_t n_sockets; /* ... and how many follow each other from there */
};

/*
 * Note how this process was started: to be called once, before it changes its
 * folder or id, or opens anything. argv and args are borrowed. Returns 0; or
 * -errno with a line in the log for passed sockets that are none. Free what is
 * in it with launch_clear() in both cases.
 */
__attribute__((warn_unused_result)) int launch_note(char *const *argv, const struct conf_args *args,
                                                    struct launch *ret_launch);

void launch_clear(struct launch *launch);

/*
 * Load the configuration as the command line asks for, in the folder that it
 * was given in; as conf_load().
 */
__attribute__((warn_unused_result)) int
launch_load(const struct launch *launch, struct conf **ret_conf, char error[CONF_ERROR_SIZE]);

/*
 * The same for the first time. After an upgrade, when there is no way back, a
 * configuration that has become invalid since the trial is replaced by the one
 * that the predecessor had in force.
 */
__attribute__((warn_unused_result)) int
launch_load_first(const struct launch *launch, struct conf **ret_conf, char error[CONF_ERROR_SIZE]);

/* Go to the folder of the start. Returns 0; or -errno, and the folder is the same as before. */
int launch_enter_folder(const struct launch *launch);

/* Go back from there to the folder `here` (NULL: unknown); a failure is logged. */
void launch_leave_folder(const struct launch *launch, const char *here);

#endif
