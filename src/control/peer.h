/*
 * Who has connected to the control socket, and whether they may use it.
 */
#ifndef ZOMBIE_CONTROL_PEER_H
#define ZOMBIE_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct control_peer;

/* Who a process was when it connected. */
struct control_credentials {
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* supplementary ones */
    size_t n_groups;
};

/* Whom the socket lets in. */
struct control_door {
    uid_t server;  /* the user of this process */
    bool has_file; /* the rest is known */
    uid_t owner;
    gid_t group;
    mode_t mode;
};

/* Whether they may, by the rule of control_server_listen(). Pure. */
bool control_peer_may(const struct control_door *door,
                      const struct control_credentials *credentials);

/* Say whose this connected socket's other end is: SO_PEERCRED of socket(7). Returns 0 or -errno. */
__attribute__((warn_unused_result)) int control_peer_read(int fd, struct control_peer *ret_peer);

/*
 * Read the peer of a socket that `listening` has accepted and hold it against
 * that one's file. Returns 0; -EACCES when the peer may not, *ret_peer is set
 * then as well; or another -errno.
 */
__attribute__((warn_unused_result)) int control_peer_check(int fd, int listening,
                                                           struct control_peer *ret_peer);

#endif
