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

/* Where this user's socket is to be. */
static int find_folder(char folder[CONTROL_PATH_SIZE])
{
    const char *runtime = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (runtime == NULL || runtime[0] != '/' || !is_folder(runtime))
        runtime = NULL;
    int len = runtime != NULL
                  ? snprintf(folder, CONTROL_PATH_SIZE, "%s/zombie-server", runtime)
                  : snprintf(folder, CONTROL_PATH_SIZE, PRIVATE_PREFIX "%u", (unsigned)geteuid());
    return len < CONTROL_PATH_SIZE ? 0 : -ENAMETOOLONG;
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

/* The path up to its last slash; "" for the root folder and the one we are in. */
static int cut_folder(const char *path, char folder[CONTROL_PATH_SIZE])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;
    if (len >= CONTROL_PATH_SIZE)
        return -ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    return 0;
}

const char *control_path_fault(const char *path)
{
    char folder[CONTROL_PATH_SIZE];
    struct stat file;
    if (cut_folder(path, folder) != 0 || lstat(folder, &file) != 0)
        return NULL;
    if (S_ISLNK(file.st_mode))
        return "its folder is a symbolic link";
    if (!S_ISDIR(file.st_mode))
        return "there is no folder, but something else";
    if (file.st_uid != geteuid())
        return "its folder belongs to another user";
    return (file.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write to its folder" : NULL;
}

int control_path_make_folder(const char *path)
{
    char folder[CONTROL_PATH_SIZE];
    int err = cut_folder(path, folder);
    if (err != 0 || folder[0] == '\0')
        return err;
    bool is_private = strncmp(folder, PRIVATE_PREFIX, sizeof PRIVATE_PREFIX - 1) == 0;
    mode_t mode = is_private ? PRIVATE_MODE : FOLDER_MODE;
    if (mkdir(folder, mode) == 0)
        return chmod(folder, mode) == 0 ? 0 : -errno; /* whatever the umask is */
    if (errno != EEXIST)
        return -errno;
    if (!is_folder(folder))
        return -ENOTDIR;
    return control_path_fault(path) == NULL ? 0 : -EPERM;
}
