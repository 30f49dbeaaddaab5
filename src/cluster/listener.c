#include "config.h"

#include "cluster/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "conf/conf.h"

struct listeners {
    size_t n; /* open ones */
    int *fds;
    struct unix_file *files; /* one for each that was opened */
    size_t n_files;
};

/* Which file a unix socket made, so that nobody else's is unlinked. */
struct unix_file {
    char *path; /* NULL: no unix socket */
    dev_t device;
    ino_t inode;
};

static const char *unix_path(const struct address *address)
{
    if (address->storage.ss_family != AF_UNIX)
        return NULL;
    return ((const struct sockaddr_un *)&address->storage)->sun_path;
}

static int set_options(int fd, int family)
{
    static const int on = 1;
    if (family == AF_UNIX)
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return -errno;
    return 0;
}

/*
 * Whether the file at the address is a socket that nobody listens on: left
 * behind by a process that was killed. Anything else is not ours to remove.
 */
static bool is_stale(const struct address *address)
{
    struct stat file;
    if (lstat(unix_path(address), &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)&address->storage, address->len) != 0 &&
                   errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_unix(int fd, const struct address *address, long mode)
{
    if (is_stale(address))
        unlink(unix_path(address));
    mode_t saved = umask((mode_t)(0777 & ~mode));
    int err = bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0 ? -errno : 0;
    umask(saved);
    return err;
}

static int bind_address(int fd, const struct conf_listen *listen_conf)
{
    const struct address *address = &listen_conf->address;
    if (unix_path(address) != NULL)
        return bind_unix(fd, address, listen_conf->mode);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0)
        return -errno;
    return 0;
}

/* Returns the descriptor or -errno. */
static int open_one(const struct conf_listen *listen_conf)
{
    int family = listen_conf->address.storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int err = set_options(fd, family);
    if (err == 0)
        err = bind_address(fd, listen_conf);
    if (err == 0 && listen(fd, (int)listen_conf->backlog) != 0)
        err = -errno;
    if (err != 0) {
        close(fd);
        return err;
    }
    return fd;
}

/* With port 0 the kernel has chosen, so it is asked. */
static void announce(int fd)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = {.len = sizeof address.storage};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.len) != 0)
        return;
    address_format(&address, text);
    log_info("listening on %s%s", address_port(&address) >= 0 ? "http://" : "", text);
}

static void remember_file(struct unix_file *file, const struct address *address)
{
    struct stat status;
    const char *path = unix_path(address);
    if (path == NULL || stat(path, &status) != 0)
        return;
    *file = (struct unix_file){strdup(path), status.st_dev, status.st_ino};
}

static int allocate(size_t n, struct listeners **ret_listeners)
{
    struct listeners *listeners = calloc(1, sizeof *listeners);
    if (listeners == NULL)
        return -ENOMEM;
    listeners->fds = calloc(n, sizeof *listeners->fds);
    listeners->files = calloc(n, sizeof *listeners->files);
    if (listeners->fds == NULL || listeners->files == NULL) {
        listeners_free(listeners);
        return -ENOMEM;
    }
    *ret_listeners = listeners;
    return 0;
}

int listeners_open(const struct conf *conf, struct listeners **ret_listeners)
{
    struct listeners *listeners;
    int err = allocate(conf->n_listens, &listeners);
    if (err != 0)
        return err;
    for (size_t i = 0; i < conf->n_listens; i++) {
        const struct conf_listen *listen_conf = &conf->listens[i];
        int fd = open_one(listen_conf);
        if (fd < 0) {
            log_error("cannot listen on %s: %s", listen_conf->title, strerror(-fd));
            listeners_free(listeners);
            return fd;
        }
        remember_file(&listeners->files[i], &listen_conf->address);
        listeners->fds[listeners->n++] = fd;
        listeners->n_files = listeners->n;
        announce(fd);
    }
    *ret_listeners = listeners;
    return 0;
}

const int *listeners_fds(const struct listeners *listeners, size_t *ret_n)
{
    *ret_n = listeners->n;
    return listeners->fds;
}

static void unlink_file(struct unix_file *file)
{
    struct stat status;
    if (file->path == NULL)
        return;
    if (stat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
    free(file->path);
    file->path = NULL;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        close(listeners->fds[i]);
    listeners->n = 0;
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    listeners_close(listeners);
    for (size_t i = 0; i < listeners->n_files; i++)
        unlink_file(&listeners->files[i]);
    free(listeners->fds);
    free(listeners->files);
    free(listeners);
}
