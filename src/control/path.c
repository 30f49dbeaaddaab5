#include "config.h"

#include "control/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE    0755
#define PRIVATE_PREFIX "/tmp/zombie-server-"
#define PRIVATE_MODE   0700

static bool is_folder(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

/* A folder among those that everybody may make must be this user's alone, once it is there. */
static int check_private(const char *folder)
{
    struct stat file;
    if (strncmp(folder, PRIVATE_PREFIX, sizeof PRIVATE_PREFIX - 1) != 0)
        return 0;
    if (lstat(folder, &file) != 0)
        return errno == ENOENT ? 0 : -errno;
    bool is_ours = S_ISDIR(file.st_mode) && file.st_uid == geteuid() &&
                   (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return is_ours ? 0 : -EPERM;
}

/* Where this user's socket is to be. */
static int find_folder(char folder[CONTROL_PATH_SIZE])
{
    const char *runtime = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (runtime == NULL || runtime[0] != '/' || !is_folder(runtime))
        runtime = NULL;
    int len = runtime != NULL
                  ? snprintf(folder, CONTROL_PATH_SIZE, "%s/zombie-server", runtime)
                  : snprintf(folder, CONTROL_PATH_SIZE, PRIVATE_PREFIX "%u", (unsigned)geteuid());
    return len < CONTROL_PATH_SIZE ? check_private(folder) : -ENAMETOOLONG;
}

int control_path_default(char ret_path[CONTROL_PATH_SIZE])
{
    char folder[CONTROL_PATH_SIZE];
    char path[CONTROL_PATH_SIZE + sizeof "/control.sock"];
    int err = find_folder(folder);
    if (err != 0)
        return err;
    size_t len = (size_t)snprintf(path, sizeof path, "%s/control.sock", folder);
    if (len >= CONTROL_PATH_SIZE)
        return -ENAMETOOLONG;
    memcpy(ret_path, path, len + 1);
    return 0;
}

int control_path_make_folder(const char *path)
{
    char folder[CONTROL_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;
    if (len == 0)
        return 0; /* the root folder, or the one we are in */
    if (len >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    bool is_private = strncmp(folder, PRIVATE_PREFIX, sizeof PRIVATE_PREFIX - 1) == 0;
    mode_t mode = is_private ? PRIVATE_MODE : FOLDER_MODE;
    if (mkdir(folder, mode) == 0)
        return chmod(folder, mode) == 0 ? 0 : -errno; /* whatever the umask is */
    int error = errno;
    if (error == EEXIST && !is_folder(folder))
        error = ENOTDIR;
    return error == EEXIST ? check_private(folder) : -error;
}
