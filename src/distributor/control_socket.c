#include "config.h"

#include "distributor/control_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/unix_socket.h"

#define NAME "distributor.sock"

/* Who may connect, the server decides by this as well (control/server.h). */
#define MODE 0660

int control_socket_path(const char *setting, char ret_path[CONTROL_PATH_SIZE])
{
    char path[CONTROL_PATH_SIZE + sizeof NAME];
    if (strcmp(setting, "off") == 0)
        setting = "";
    if (strcmp(setting, "auto") == 0) {
        int err = control_path_default(path);
        if (err != 0)
            return err;
        strcpy(strrchr(path, '/') + 1, NAME);
        setting = path;
    }
    size_t len = strlen(setting);
    if (len >= CONTROL_PATH_SIZE)
        return -ENAMETOOLONG;
    memmove(ret_path, setting, len + 1);
    return 0;
}

static int bind_and_listen(int fd, const char *path)
{
    struct address address = {.len = sizeof(struct sockaddr_un)};
    struct sockaddr_un *name = (struct sockaddr_un *)&address.storage;
    name->sun_family = AF_UNIX;
    strncpy(name->sun_path, path, sizeof name->sun_path - 1);
    int err = unix_socket_bind(fd, &address, MODE);
    return err == 0 && listen(fd, SOMAXCONN) != 0 ? -errno : err;
}

int control_socket_listen(const char *path, bool makes_folder)
{
    int err = makes_folder ? control_path_make_folder(path) : 0;
    if (err != 0)
        return err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    err = bind_and_listen(fd, path);
    if (err != 0) {
        close(fd);
        return err;
    }
    return fd;
}
