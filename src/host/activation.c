#include "config.h"

#include "host/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"

/* The protocol's, behind the standard streams. */
#define FIRST_FD 3

/* Read a number of the environment. Returns whether it is there (1, 0), or -EINVAL, logged. */
static int read_number(const char *name, long max, long *ret_value)
{
    const char *text = getenv(name);
    if (text == NULL)
        return 0;
    if (number_parse(text, 0, max, ret_value) == 0)
        return 1;
    log_error("%s: \"%s\" is not a number from 0 to %ld", name, text, max);
    return -EINVAL;
}

/* How many descriptors are meant for this process, or -EINVAL. */
static int read_count(long *ret_count)
{
    long pid = 0;
    int r = read_number("LISTEN_PID", INT_MAX, &pid);
    *ret_count = 0;
    if (r <= 0 || pid != getpid())
        return r < 0 ? r : 0;
    r = read_number("LISTEN_FDS", ACTIVATION_MAX, ret_count);
    return r < 0 ? r : 0;
}

static bool has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static int check(int fd)
{
    if (fcntl(fd, F_GETFD) < 0) {
        log_error("LISTEN_FDS: descriptor %d is not open", fd);
        return -EBADF;
    }
    if (has_option(fd, SO_TYPE, SOCK_STREAM) && has_option(fd, SO_ACCEPTCONN, 1))
        return 0;
    log_error("LISTEN_FDS: descriptor %d is no listening stream socket, check Accept=no and "
              "ListenStream= of the socket unit",
              fd);
    return -EINVAL;
}

/* Like the sockets we open: several workers wait at each, and one of them gets the connection. */
static void claim(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int activation_take(int *ret_first_fd)
{
    long count;
    int err = read_count(&count);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (int fd = FIRST_FD; err == 0 && fd < FIRST_FD + count; fd++)
        err = check(fd);
    if (err != 0)
        return err;
    for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++)
        claim(fd);
    *ret_first_fd = FIRST_FD;
    return (int)count;
}

int activation_address(int fd, struct address *ret_address)
{
    struct address address = {.len = sizeof address.storage};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.len) != 0)
        return -errno;
    switch (address.storage.ss_family) {
    case AF_INET:
    case AF_INET6:
    case AF_UNIX:
        *ret_address = address;
        return 0;
    default:
        return -EAFNOSUPPORT;
    }
}
