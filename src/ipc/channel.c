#include "config.h"

#include "ipc/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

/* One loop turn reads no more than this, so that one peer cannot starve the others. */
#define MESSAGES_A_TURN 32

/* More than a queue holds, unless a child of the dead peer goes on filling it. */
#define MESSAGES_FLUSHED 512

struct channel {
    int fd;
    enum message_sender peer;
    const struct channel_callbacks *callbacks;
    void *arg;
    struct event *readable;
    struct event *writable; /* added while a message is kept */
    struct message kept;
    bool closed;
    bool *freed; /* set by channel_free() while a callback of ours is on the stack */
};

int channel_pair(int ret_fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) != 0)
        return -errno;
    return 0;
}

static void channel_close(struct channel *channel, int error)
{
    channel->closed = true;
    event_del(channel->readable);
    event_del(channel->writable);
    channel->callbacks->closed(error, channel->arg);
}

/* Room for the one descriptor that a packet may bring along (cmsg(3)). */
union ancillary {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int find_descriptor(struct msghdr *packet)
{
    int fd = -1;
    struct cmsghdr *item = CMSG_FIRSTHDR(packet);
    if (item != NULL && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(item), sizeof fd);
    return fd;
}

/*
 * One packet, its whole length even if it was cut, or -1 with errno set. A
 * master offers no room for descriptors: what a worker sends along, the kernel
 * drops.
 */
static ssize_t receive(const struct channel *channel, uint8_t frame[MESSAGE_SIZE], int *ret_fd)
{
    union ancillary room;
    struct iovec bytes = {frame, MESSAGE_SIZE};
    struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (channel->peer == MESSAGE_FROM_MASTER) {
        packet.msg_control = room.bytes;
        packet.msg_controllen = CMSG_LEN(sizeof(int)); /* its padding would take a second one */
    }
    ssize_t n = recvmsg(channel->fd, &packet, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    *ret_fd = n >= 0 ? find_descriptor(&packet) : -1;
    return n;
}

/* A descriptor that the message has a place for is the callee's; *fd is then -1. */
static void deliver(struct channel *channel, struct message *message, int *fd)
{
    if (message_has_descriptor(message->type)) {
        message->log.fd = *fd;
        *fd = -1;
    }
    channel->callbacks->message(message, channel->arg);
}

/* Take one packet. True: there may be more, and the channel still stands. */
static bool channel_read_one(struct channel *channel)
{
    uint8_t frame[MESSAGE_SIZE];
    struct message message;
    bool freed = false;
    int fd;
    ssize_t n = receive(channel, frame, &fd);
    if (n < 0 && (errno == EINTR || errno == ECONNRESET))
        return true; /* a peer that died with frames unread: its own still wait behind the reset */
    if (n < 0 && errno == EAGAIN)
        return false;
    /* cppcheck-suppress autoVariables ; reset before this function returns */
    channel->freed = &freed;
    if (n < 0)
        channel_close(channel, -errno);
    else if (n == 0)
        channel_close(channel, 0);
    else if (message_decode(frame, (size_t)n, channel->peer, &message) != 0)
        channel_close(channel, -EBADMSG);
    else
        deliver(channel, &message, &fd);
    if (fd >= 0)
        close(fd);
    if (freed)
        return false;
    channel->freed = NULL;
    return !channel->closed;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < MESSAGES_A_TURN; i++)
        if (!channel_read_one(arg))
            return;
}

static void free_events(struct channel *channel)
{
    if (channel->readable != NULL)
        event_free(channel->readable);
    if (channel->writable != NULL)
        event_free(channel->writable);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct channel *channel = arg;
    (void)fd;
    (void)what;
    channel_send_or_keep(channel, &channel->kept);
}

int channel_new(struct event_base *base, int fd, enum message_sender peer,
                const struct channel_callbacks *callbacks, void *arg, struct channel **ret_channel)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return -ENOMEM;
    *channel = (struct channel){.fd = fd, .peer = peer, .callbacks = callbacks, .arg = arg};
    channel->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, channel);
    channel->writable = event_new(base, fd, EV_WRITE, on_writable, channel);
    if (channel->readable == NULL || channel->writable == NULL ||
        event_add(channel->readable, NULL) != 0) {
        free_events(channel);
        free(channel);
        return -ENOMEM;
    }
    *ret_channel = channel;
    return 0;
}

int channel_fd(const struct channel *channel)
{
    return channel != NULL ? channel->fd : -1;
}

static void attach(struct msghdr *packet, union ancillary *room, int fd)
{
    *room = (union ancillary){.header = {.cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS,
                                         .cmsg_len = CMSG_LEN(sizeof fd)}};
    memcpy(CMSG_DATA(&room->header), &fd, sizeof fd);
    packet->msg_control = room->bytes;
    packet->msg_controllen = sizeof room->bytes;
}

int channel_send(struct channel *channel, const struct message *message)
{
    uint8_t frame[MESSAGE_SIZE];
    union ancillary room;
    struct iovec bytes = {frame, message_encode(message, frame)};
    struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};
    ssize_t n;
    if (message_has_descriptor(message->type) && message->log.fd >= 0)
        attach(&packet, &room, message->log.fd);
    do
        n = sendmsg(channel->fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int channel_send_or_keep(struct channel *channel, const struct message *message)
{
    int err = channel_send(channel, message);
    event_del(channel->writable);
    if (err != -EAGAIN)
        return err;
    channel->kept = *message;
    return event_add(channel->writable, NULL) == 0 ? -EAGAIN : -ENOMEM;
}

void channel_flush(struct channel *channel)
{
    if (channel == NULL || channel->closed)
        return;
    for (int i = 0; i < MESSAGES_FLUSHED; i++)
        if (!channel_read_one(channel))
            return;
}

void channel_free(struct channel *channel)
{
    if (channel == NULL)
        return;
    if (channel->freed != NULL)
        *channel->freed = true;
    free_events(channel);
    close(channel->fd);
    free(channel);
}
