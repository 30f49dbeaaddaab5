/*
 * The file of a unix socket (unix(7)): made with its rights, over one that was left behind.
 */
#ifndef ZOMBIE_HOST_UNIX_SOCKET_H
#define ZOMBIE_HOST_UNIX_SOCKET_H

#include "base/address.h"

/*
 * Bind to the path of the address, with these rights of the file (0660), in place of a socket
 * that nobody listens on, as a process that was killed leaves it; anything else there is not ours
 * to remove. Returns 0 or -errno, as -EADDRINUSE.
 */
__attribute__((warn_unused_result)) int unix_socket_bind(int fd, const struct address *address,
                                                         long mode);

#endif
