#include "config.h"

#include "distributor/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "distributor/distributor_state.h"
#include "distributor/visitor.h"

/* How many are let in before others have their turn. */
#define GREED 64

/* How often the log is told that nobody can be let in. */
#define WARNING_MS 60000

struct door {
    int fd;
    struct event *acceptable;
    struct event *retry;
    int64_t warned_ms; /* when the log was told of a failure; 0: never */
};

/* --- The socket ------------------------------------------------------------------------------- */

static int set_number(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int set_options(int fd, const struct conf_distributor *conf, int family)
{
    if (set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0)
        return -errno;
    /* There is one socket: [::] is for both families. */
    if (family == AF_INET6 && set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) != 0)
        return -errno;
    door_set_patience(fd, conf);
    return 0;
}

static int seconds(long ms)
{
    return ms < 1000 ? 1 : (int)((ms + 999) / 1000);
}

/*
 * Linux hands the options of a listening socket on to its connections (tcp(7)). After half of the
 * time the kernel asks whether somebody is there, and then three times more often.
 */
void door_set_patience(int fd, const struct conf_distributor *conf)
{
    long longest_ms =
        conf->keepalive_ms > conf->send_timeout_ms ? conf->keepalive_ms : conf->send_timeout_ms;
    if (set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0 ||
        set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0 ||
        set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(conf->keepalive_ms / 2)) != 0 ||
        set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(conf->keepalive_ms / 6)) != 0 ||
        set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) != 0 ||
        set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)longest_ms) != 0)
        log_warning("cannot set options of the listening socket: %s, nodes that vanish stay longer",
                    strerror(errno));
}

static int bind_and_listen(int fd, const struct address *address)
{
    if (bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0)
        return -errno;
    return listen(fd, SOMAXCONN) == 0 ? 0 : -errno;
}

static int open_socket(const struct conf_distributor *conf, const struct address *address)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int err = set_options(fd, conf, family);
    if (err == 0)
        err = bind_and_listen(fd, address);
    if (err != 0) {
        close(fd);
        return err;
    }
    return fd;
}

int door_listen(const struct conf_distributor *conf, char error[DOOR_ERROR_SIZE])
{
    struct address address;
    const char *why = "nodes come by TCP: an address and a port are needed";
    int fd = -EINVAL;
    if (address_parse(conf->listen, &address, &why) == 0 && address_port(&address) >= 0) {
        fd = open_socket(conf, &address);
        why = strerror(-fd);
    }
    if (fd < 0)
        snprintf(error, DOOR_ERROR_SIZE, "cannot listen on %.100s: %s", conf->listen, why);
    return fd;
}

/* --- Who comes in ----------------------------------------------------------------------------- */

/* There is room, or the one that has been silent longest makes room. */
static bool has_room(struct distributor *distributor)
{
    if (distributor->n_connections < distributor->max_connections)
        return true;
    struct visitor *guest = TAILQ_FIRST(&distributor->guests);
    if (guest == NULL)
        return false;
    distributor->tally.refused_full++;
    visitor_close(guest, "it has not registered, and its place is needed");
    return true;
}

static void refuse(struct distributor *distributor, int fd, const struct address *peer,
                   const char *why)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(peer, text);
    distributor_complain(distributor, text, why);
    close(fd);
}

static void welcome(struct distributor *distributor, int fd, const struct address *peer)
{
    if (!distributor_admits(distributor, peer)) {
        distributor->tally.refused_network++;
        refuse(distributor, fd, peer, "it is in none of distributor.networks");
    } else if (!has_room(distributor)) {
        distributor->tally.refused_full++;
        refuse(distributor, fd, peer, "there are as many connections as may be");
    } else if (visitor_open(distributor, fd, peer) != 0) {
        refuse(distributor, fd, peer, strerror(ENOMEM));
    }
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

/* What the network has against one connection, accept(2) tells as if it were ours. */
static bool is_foreign(int error)
{
    return error == ENETDOWN || error == EPROTO || error == ENOPROTOOPT || error == EHOSTDOWN ||
           error == ENONET || error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH;
}

/* No descriptor or no memory: to try at once would be to try for ever. */
static void step_back(struct door *door, int error)
{
    static const struct timeval pause = {0, DOOR_RETRY_MS * 1000};
    int64_t now_ms = clock_now_ms();
    if (door->warned_ms == 0 || now_ms - door->warned_ms >= WARNING_MS) {
        log_warning("cannot accept connections: %s, trying again every %d ms", strerror(error),
                    DOOR_RETRY_MS);
        door->warned_ms = now_ms;
    }
    event_del(door->acceptable);
    event_add(door->retry, &pause);
}

static void on_acceptable(evutil_socket_t listening, short what, void *arg)
{
    struct distributor *distributor = arg;
    (void)what;
    for (int i = 0; i < GREED; i++) {
        struct address peer = {.len = sizeof peer.storage};
        int fd = accept4(listening, (struct sockaddr *)&peer.storage, &peer.len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (is_passing(errno) || is_foreign(errno)))
            return;
        if (fd < 0) {
            step_back(distributor->door, errno);
            return;
        }
        welcome(distributor, fd, &peer);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct distributor *distributor = arg;
    (void)fd;
    (void)what;
    event_add(distributor->door->acceptable, NULL);
}

int door_open(struct distributor *distributor, int fd)
{
    struct door *door = calloc(1, sizeof *door);
    if (door == NULL)
        return -ENOMEM;
    door->fd = fd;
    door->acceptable =
        event_new(distributor->base, fd, EV_READ | EV_PERSIST, on_acceptable, distributor);
    door->retry = event_new(distributor->base, -1, 0, on_retry, distributor);
    distributor->door = door;
    if (door->acceptable != NULL && door->retry != NULL && event_add(door->acceptable, NULL) == 0)
        return 0;
    door->fd = -1;
    door_close(distributor);
    return -ENOMEM;
}

int door_fd(const struct distributor *distributor)
{
    return distributor->door->fd;
}

void door_address(const struct distributor *distributor, char ret_text[ADDRESS_TEXT_SIZE])
{
    struct address address = {.len = sizeof address.storage};
    if (getsockname(distributor->door->fd, (struct sockaddr *)&address.storage, &address.len) != 0)
        address.storage.ss_family = AF_UNSPEC;
    address_format(&address, ret_text);
}

void door_close(struct distributor *distributor)
{
    struct door *door = distributor->door;
    if (door == NULL)
        return;
    if (door->acceptable != NULL)
        event_free(door->acceptable);
    if (door->retry != NULL)
        event_free(door->retry);
    if (door->fd >= 0)
        close(door->fd);
    free(door);
    distributor->door = NULL;
}
