/*
 * Where the control socket is when nobody says so, for the server and for
 * zombiectl alike.
 */
#ifndef ZOMBIE_CONTROL_PATH_H
#define ZOMBIE_CONTROL_PATH_H

#include <stddef.h>

/* As sun_path of unix(7), terminating NUL included. */
#define CONTROL_PATH_SIZE 108

/*
 * "/run/zombie-server/control.sock" for root; else
 * "$XDG_RUNTIME_DIR/zombie-server/control.sock"; else, as in many containers,
 * "/tmp/zombie-server-UID/control.sock" in a folder that is this user's alone.
 * Returns 0; or -EPERM when somebody else has made that one, -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int control_path_default(char ret_path[CONTROL_PATH_SIZE]);

/* Make the folder of that path, mode 0755 (in /tmp 0700), if it is missing. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int control_path_make_folder(const char *path);

#endif
