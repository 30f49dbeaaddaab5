#include "config.h"

#include "host/unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path_of(const struct address *address)
{
    return ((const struct sockaddr_un *)&address->storage)->sun_path;
}

/* Whether the file at the address is a socket that nobody listens on. */
static bool is_stale(const struct address *address)
{
    struct stat file;
    if (lstat(path_of(address), &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)&address->storage, address->len) != 0 &&
                   errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int unix_socket_bind(int fd, const struct address *address, long mode)
{
    if (is_stale(address))
        unlink(path_of(address));
    mode_t saved = umask((mode_t)(0777 & ~mode));
    int err = bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0 ? -errno : 0;
    umask(saved);
    return err;
}
