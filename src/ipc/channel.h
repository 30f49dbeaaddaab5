/*
 * The channel: one SOCK_SEQPACKET socketpair between the master and a worker,
 * one message a packet. The end of the peer shows as end of file.
 */
#ifndef ZOMBIE_IPC_CHANNEL_H
#define ZOMBIE_IPC_CHANNEL_H

#include "ipc/message.h"

struct channel;
struct event_base;

struct channel_callbacks {
    /*
     * One good message; the channel may be freed inside. The descriptor of a
     * LOG (close-on-exec) is the callee's; it is -1 when none came along.
     */
    void (*message)(const struct message *message, void *arg);
    /*
     * The channel is of no more use and reads nothing from here on: 0 for end
     * of file, -EBADMSG for a frame that message_decode() refused, or another
     * -errno. Comes once. The channel may be freed inside.
     */
    void (*closed)(int error, void *arg);
};

/*
 * Make a connected pair, non-blocking and close-on-exec (socketpair(2)):
 * ret_fds[0] for the master, ret_fds[1] for the worker. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int channel_pair(int ret_fds[2]);

/*
 * Speak over fd on the given loop; `peer` says what the other end may send.
 * The callbacks and arg are kept. On success the channel owns fd. Returns 0
 * or -ENOMEM.
 */
__attribute__((warn_unused_result)) int channel_new(struct event_base *base, int fd,
                                                    enum message_sender peer,
                                                    const struct channel_callbacks *callbacks,
                                                    void *arg, struct channel **ret_channel);

/* The descriptor, which stays the channel's; -1 for NULL. */
int channel_fd(const struct channel *channel);

/*
 * Send one message without waiting; a LOG with a duplicate of its descriptor. Returns 0, or -EAGAIN
 * when the peer does not read (its queue of packets is full), or -EPIPE and the like when it is
 * gone.
 */
int channel_send(struct channel *channel, const struct message *message);

/*
 * The same, for a message without a descriptor that has to arrive: -EAGAIN says that it is kept
 * and goes out as soon as poll(2) sees room, unless a later one has taken its place; what is sent
 * meanwhile may come before it. Returns -ENOMEM where it cannot be kept.
 */
int channel_send_or_keep(struct channel *channel, const struct message *message);

/*
 * Deliver what a dead peer left behind (NULL: nothing), without waiting for the loop, so that
 * its last words are read before its death is judged. Stops after as many
 * messages as a queue can hold: a child of the peer may go on writing.
 */
void channel_flush(struct channel *channel);

/* Close and free; NULL is fine. */
void channel_free(struct channel *channel);

#endif
