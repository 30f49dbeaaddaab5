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
 * "/tmp/zombie-server-UID/control.sock". Returns 0 or -ENAMETOOLONG.
 */
__attribute__((warn_unused_result)) int control_path_default(char ret_path[CONTROL_PATH_SIZE]);

/*
 * Why this user should not trust the folder of that path, as a static text: it is no folder but
 * maybe a symbolic link, somebody else's, or open for others to write. NULL: it is fine, or
 * missing.
 */
const char *control_path_fault(const char *path);

/*
 * Make the folder of that path, mode 0755 (in /tmp 0700), if it is missing.
 * Returns 0; -ENOTDIR or -EPERM when what is there has a fault; or another -errno.
 */
__attribute__((warn_unused_result)) int control_path_make_folder(const char *path);

#endif
