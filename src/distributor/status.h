/*
 * What the Distributor tells of itself on its control socket: the command "status".
 */
#ifndef ZOMBIE_DISTRIBUTOR_STATUS_H
#define ZOMBIE_DISTRIBUTOR_STATUS_H

struct distributor;

/* Answer on this listening unix socket, which stays the caller's. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int status_listen(struct distributor *distributor, int fd);

/* No more; nothing happens if there is none. */
void status_close(struct distributor *distributor);

#endif
