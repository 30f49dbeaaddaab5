/*
 * Listening sockets that the service manager opened for us: socket activation,
 * the protocol of sd_listen_fds(3).
 */
#ifndef ZOMBIE_HOST_ACTIVATION_H
#define ZOMBIE_HOST_ACTIVATION_H

#include "base/address.h"

/* More than any unit has; beyond it LISTEN_FDS is nonsense. */
#define ACTIVATION_MAX 1024

/*
 * Take what LISTEN_PID and LISTEN_FDS pass on, once: they and LISTEN_FDNAMES
 * leave the environment in any case, so that no child mistakes them for its
 * own. Returns how many descriptors there are from *ret_first_fd on, all of
 * them listening stream sockets, now with FD_CLOEXEC and O_NONBLOCK; 0 when
 * there are none or they are meant for another process; or, with a line in the
 * log, -EINVAL for nonsense and -EBADF for a descriptor that is not open.
 */
__attribute__((warn_unused_result)) int activation_take(int *ret_first_fd);

/*
 * The address that a socket listens on. Returns 0 or -errno, -EAFNOSUPPORT for
 * one that is neither TCP nor unix.
 */
__attribute__((warn_unused_result)) int activation_address(int fd, struct address *ret_address);

#endif
