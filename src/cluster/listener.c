#include "config.h"

#include "cluster/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "host/unix_socket.h"

struct listening_socket {
    int fd;
    uint64_t since; /* no worker up to this id has it */
};

struct listener {
    unsigned holders;
    struct listening_socket *sockets; /* the first one is that of the file and of the name */
    size_t n;                         /* 0: closed */
    int backlog;
    struct address address;
    struct listener_file file;
    bool lost; /* the file is gone, and the log has said so */
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
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return -errno;
    return 0;
}

const char *listener_find_obstacle(const struct address *address)
{
    struct stat file;
    const char *path = unix_path(address);
    if (path == NULL || lstat(path, &file) != 0)
        return NULL;
    switch (file.st_mode & S_IFMT) {
    case S_IFSOCK:
        return NULL;
    case S_IFLNK:
        return "a symbolic link";
    case S_IFDIR:
        return "a folder";
    case S_IFREG:
        return "a file";
    default:
        return "a device or a pipe";
    }
}

static int bind_address(int fd, const struct conf_listen *conf)
{
    const struct address *address = &conf->address;
    if (unix_path(address) != NULL)
        return unix_socket_bind(fd, address, conf->mode);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0)
        return -errno;
    return 0;
}

static int let_join(int fd)
{
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)) == 0 ? 0 : -errno;
}

/*
 * Returns the descriptor or -errno. Others may join the first socket, but it
 * joins nobody: so two instances on one port are still an error.
 */
static int open_socket(const struct conf_listen *conf, bool joins)
{
    int family = conf->address.storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int err = set_options(fd, family);
    if (err == 0 && joins)
        err = let_join(fd);
    if (err == 0)
        err = bind_address(fd, conf);
    if (err == 0 && conf->accept == CONF_ACCEPT_REUSEPORT)
        err = let_join(fd);
    if (err == 0 && listen(fd, (int)conf->backlog) != 0)
        err = -errno;
    if (err != 0) {
        close(fd);
        return err;
    }
    return fd;
}

/* With port 0 the kernel has chosen, so it is asked. */
struct address listener_real_address(const struct listener *listener)
{
    struct address address = {.len = sizeof address.storage};
    if (listener->n == 0 || getsockname(listener->sockets[0].fd,
                                        (struct sockaddr *)&address.storage, &address.len) != 0)
        return listener->address;
    return address;
}

static void describe(const struct listener *listener, char text[ADDRESS_TEXT_SIZE])
{
    struct address address = listener_real_address(listener);
    address_format(&address, text);
}

void listener_url(const struct listener *listener, char ret_url[LISTENER_URL_SIZE])
{
    char text[ADDRESS_TEXT_SIZE];
    describe(listener, text);
    snprintf(ret_url, LISTENER_URL_SIZE, "%s%s",
             address_port(&listener->address) >= 0 ? "http://" : "", text);
}

static void announce(const struct listener *listener, const char *announcement)
{
    char text[LISTENER_URL_SIZE];
    listener_url(listener, text);
    log_info("%s %s", announcement != NULL ? announcement : "listening on", text);
}

static struct listener_file find_file(const struct address *address)
{
    struct stat status;
    const char *path = unix_path(address);
    if (path == NULL || stat(path, &status) != 0)
        return (struct listener_file){0, 0};
    return (struct listener_file){status.st_dev, status.st_ino};
}

/* Whether the file at its path is (still) the one that this socket made. */
static bool owns_file(const struct listener *listener)
{
    struct listener_file now = find_file(&listener->address);
    return listener->file.inode != 0 && now.inode == listener->file.inode &&
           now.device == listener->file.device;
}

/* Give the file of a unix socket to its owner and group. Returns 0 or -errno. */
static int give_file(const struct conf_listen *conf)
{
    const char *path = unix_path(&conf->address);
    const struct passwd *user = NULL;
    const struct group *group = NULL;
    if (path == NULL)
        return 0;
    if (conf->user != NULL && conf->user[0] != '\0' && (user = getpwnam(conf->user)) == NULL)
        return -ENOENT;
    if (conf->group != NULL && conf->group[0] != '\0' && (group = getgrnam(conf->group)) == NULL)
        return -ENOENT;
    if (user == NULL && group == NULL)
        return 0;
    int rc = lchown(path, user != NULL ? user->pw_uid : (uid_t)-1,
                    group != NULL ? group->gr_gid : (gid_t)-1);
    return rc == 0 ? 0 : -errno;
}

int listener_open(const struct conf_listen *conf, struct listener **ret_listener)
{
    int fd = open_socket(conf, false);
    if (fd < 0)
        return fd;
    int err = give_file(conf);
    if (err == 0)
        err = listener_adopt(fd, &conf->address, find_file(&conf->address), ret_listener);
    if (err != 0) {
        if (unix_path(&conf->address) != NULL)
            unlink(unix_path(&conf->address));
        close(fd);
        return err;
    }
    (*ret_listener)->backlog = (int)conf->backlog;
    announce(*ret_listener, conf->announcement);
    return 0;
}

int listener_adopt_more(struct listener *listener, int fd, uint64_t since)
{
    struct listening_socket *sockets =
        reallocarray(listener->sockets, listener->n + 1, sizeof *sockets);
    if (sockets == NULL)
        return -ENOMEM;
    listener->sockets = sockets;
    sockets[listener->n++] = (struct listening_socket){fd, since};
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (address_port(&listener->address) >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return 0;
}

int listener_adopt(int fd, const struct address *address, struct listener_file file,
                   struct listener **ret_listener)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return -ENOMEM;
    *listener =
        (struct listener){.holders = 1, .backlog = SOMAXCONN, .address = *address, .file = file};
    int err = listener_adopt_more(listener, fd, 0);
    if (err != 0) {
        free(listener);
        return err;
    }
    *ret_listener = listener;
    return 0;
}

static int add_socket(struct listener *listener, uint64_t since)
{
    struct conf_listen conf = {.address = listener_real_address(listener),
                               .backlog = listener->backlog};
    int fd = open_socket(&conf, true);
    if (fd < 0)
        return fd;
    int err = listener_adopt_more(listener, fd, since);
    if (err != 0)
        close(fd);
    return err;
}

void listener_grow(struct listener *listener, size_t n, uint64_t since)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t before = listener->n;
    int err = 0;
    while (err == 0 && listener->n < n)
        err = add_socket(listener, since);
    describe(listener, text);
    if (err != 0)
        log_warning("cannot open socket %zu of %s: %s, workers share those that there are",
                    listener->n + 1, text, strerror(-err));
    if (listener->n > before)
        log_info("%s has %zu sockets, one for each worker", text, listener->n);
}

bool listener_is_joinable(const struct listener *listener)
{
    int on = 0;
    socklen_t size = sizeof on;
    return address_port(&listener->address) >= 0 && listener->n > 0 &&
           getsockopt(listener->sockets[0].fd, SOL_SOCKET, SO_REUSEPORT, &on, &size) == 0 &&
           on != 0;
}

struct listener *listener_hold(struct listener *listener)
{
    listener->holders++;
    return listener;
}

void listener_release(struct listener *listener)
{
    char text[ADDRESS_TEXT_SIZE];
    if (listener == NULL || --listener->holders > 0)
        return;
    if (listener->n > 0) {
        describe(listener, text);
        log_info("no longer listening on %s", text);
    }
    listener_close(listener);
    if (owns_file(listener))
        unlink(unix_path(&listener->address));
    free(listener->sockets);
    free(listener);
}

/* A port that the kernel had chosen is given back by the shutdown; others are still bound. */
static void rebind(int fd)
{
    struct address address = {.len = sizeof address.storage};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.len) == 0 &&
        bind(fd, (const struct sockaddr *)&address.storage, address.len) != 0)
        log_debug("a listener needs no new bind: %s", strerror(errno));
}

/* A worker that has run wild may have shut the socket down (shutdown(2)) for all. */
static void revive(const struct listener *listener, int fd)
{
    char text[ADDRESS_TEXT_SIZE];
    int accepts = 1;
    socklen_t size = sizeof accepts;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || accepts != 0)
        return;
    rebind(fd);
    int rc = listen(fd, listener->backlog);
    describe(listener, text);
    log_warning("%s did not listen any more, %s", text,
                rc == 0 ? "it does again" : "and cannot: reload to open it anew");
}

/* A unix socket that was shut down says that it accepts, and does not. */
static bool is_shut_down(const struct listener *listener)
{
    struct pollfd state = {.fd = listener->sockets[0].fd, .events = POLLRDHUP};
    return unix_path(&listener->address) != NULL && poll(&state, 1, 0) > 0 &&
           (state.revents & (POLLRDHUP | POLLHUP)) != 0;
}

/* Why clients cannot reach it, or NULL. */
static const char *find_loss(const struct listener *listener)
{
    if (listener->n == 0)
        return NULL;
    if (listener->file.inode != 0 && !owns_file(listener))
        return "gone or replaced";
    return is_shut_down(listener) ? "shut down" : NULL;
}

bool listener_check(struct listener *listener)
{
    for (size_t i = 0; i < listener->n; i++)
        revive(listener, listener->sockets[i].fd);
    const char *loss = find_loss(listener);
    bool lost = loss != NULL;
    if (lost && !listener->lost)
        log_warning("the socket file %s is %s, nobody can connect there: reload to make it again",
                    unix_path(&listener->address), loss);
    listener->lost = lost;
    return !lost;
}

void listener_close(struct listener *listener)
{
    while (listener->n > 0)
        close(listener->sockets[--listener->n].fd);
}

void listener_apply(struct listener *listener, const struct conf_listen *conf)
{
    listener->backlog = (int)conf->backlog;
    for (size_t i = 0; i < listener->n; i++)
        if (listen(listener->sockets[i].fd, listener->backlog) != 0)
            log_warning("cannot change the backlog of %s: %s", conf->title, strerror(errno));
    if (!owns_file(listener))
        return;
    if (chmod(unix_path(&listener->address), (mode_t)conf->mode) != 0)
        log_warning("cannot change the mode of %s: %s", conf->title, strerror(errno));
    int err = give_file(conf);
    if (err != 0)
        log_warning("cannot change the owner of %s: %s", conf->title, strerror(-err));
}

const struct address *listener_address(const struct listener *listener)
{
    return &listener->address;
}

size_t listener_count(const struct listener *listener)
{
    return listener->n;
}

int listener_fd(const struct listener *listener, size_t i)
{
    return listener->sockets[i].fd;
}

uint64_t listener_since(const struct listener *listener, size_t i)
{
    return listener->sockets[i].since;
}

struct listener_file listener_file(const struct listener *listener)
{
    return listener->file;
}

bool listener_is_unshared(const struct listener *listener)
{
    return listener->holders == 1;
}
