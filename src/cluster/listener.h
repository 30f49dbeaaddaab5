/*
 * An address that is listened on, by one socket that all workers share or by
 * several that share the port (SO_REUSEPORT), one for each worker. Generations
 * of workers share it: it is closed when the last of them that names its
 * address lets go of it, and never in between. Sockets are added and never
 * taken away, since one that is closed resets the clients in its queue.
 */
#ifndef ZOMBIE_CLUSTER_LISTENER_H
#define ZOMBIE_CLUSTER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct conf_listen;
struct listener;

/* Which file a unix socket made, so that nobody else's is unlinked; both 0: none. */
struct listener_file {
    uint64_t device;
    uint64_t inode;
};

/*
 * What is at the path of a unix address and is no socket, as a static text such
 * as "a symbolic link"; NULL: nothing like that.
 */
const char *listener_find_obstacle(const struct address *address);

/*
 * Bind and listen with one socket. Returns 0 and the listener with one holder;
 * or -errno of socket(2), bind(2), setsockopt(2) or listen(2). Also with accept =
 * reuseport an address that another socket has is in use: only then may more join.
 */
__attribute__((warn_unused_result)) int listener_open(const struct conf_listen *conf,
                                                      struct listener **ret_listener);

/*
 * Take over a socket that listens already, under the address that the
 * configuration has for it. fd is the listener's and closed on exec from then
 * on. Returns 0 or -ENOMEM; in case of failure fd is untouched.
 */
__attribute__((warn_unused_result)) int listener_adopt(int fd, const struct address *address,
                                                       struct listener_file file,
                                                       struct listener **ret_listener);

/*
 * Take over one more socket of the same address. Returns 0 or -ENOMEM, and fd is
 * untouched then. `since`: workers up to this id do not have it.
 */
__attribute__((warn_unused_result)) int listener_adopt_more(struct listener *listener, int fd,
                                                            uint64_t since);

/*
 * Open sockets until there are n, for workers whose ids are above `since`. When
 * that fails there are fewer, and a line in the log says so. Call it only for one
 * that listener_is_joinable().
 */
void listener_grow(struct listener *listener, size_t n, uint64_t since);

/* Whether more sockets may share its port (socket(7), SO_REUSEPORT). */
bool listener_is_joinable(const struct listener *listener);

/* One holder more. */
struct listener *listener_hold(struct listener *listener);

/*
 * One holder fewer. The last one closes the socket, with a line in the log, and
 * unlinks the file of a unix socket unless it is somebody else's by now. NULL is fine.
 */
void listener_release(struct listener *listener);

/*
 * Whether clients can reach it: the file of a unix socket may have been removed
 * or replaced. Says so in the log, once. A socket that was shut down listens again.
 */
bool listener_check(struct listener *listener);

/* Close this process's copies, for all holders; the file stays. */
void listener_close(struct listener *listener);

/* Give it the backlog, and its file the mode and owner, that the configuration has for it now. */
void listener_apply(struct listener *listener, const struct conf_listen *conf);

/* Room for listener_url(). */
#define LISTENER_URL_SIZE (ADDRESS_TEXT_SIZE + 8)

/* Where it really listens, as people write it: "http://127.0.0.1:3000", "unix:/path". */
void listener_url(const struct listener *listener, char ret_url[LISTENER_URL_SIZE]);

/* The address as configured (port 0 is 0); the listener's. */
const struct address *listener_address(const struct listener *listener);

/* The same as it is bound: with the port that the kernel has chosen. */
struct address listener_real_address(const struct listener *listener);

/* How many sockets it has; 0 once it is closed. */
size_t listener_count(const struct listener *listener);

/* The descriptor of socket i, below listener_count(). */
int listener_fd(const struct listener *listener, size_t i);

/* Workers up to this id were born before socket i was there. */
uint64_t listener_since(const struct listener *listener, size_t i);

struct listener_file listener_file(const struct listener *listener);

/* Whether nobody but the caller holds it. */
bool listener_is_unshared(const struct listener *listener);

#endif
