/*
 * The unix socket on which zombie-distributor is asked for its state.
 */
#ifndef ZOMBIE_DISTRIBUTOR_CONTROL_SOCKET_H
#define ZOMBIE_DISTRIBUTOR_CONTROL_SOCKET_H

#include <stdbool.h>

#include "control/path.h"

/*
 * Where the configuration has it: a path, "auto" for distributor.sock beside the control socket of
 * zombie-server, "off" for none, which is "". Returns 0 or -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int control_socket_path(const char *setting,
                                                            char ret_path[CONTROL_PATH_SIZE]);

/*
 * Listen there, mode 0660, in place of a socket that a killed process has left; the folder is made
 * if `makes_folder`. Returns the descriptor, non-blocking; or -errno, as -EADDRINUSE.
 */
__attribute__((warn_unused_result)) int control_socket_listen(const char *path, bool makes_folder);

#endif
