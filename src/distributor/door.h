/*
 * The listening socket of the Distributor.
 */
#ifndef ZOMBIE_DISTRIBUTOR_DOOR_H
#define ZOMBIE_DISTRIBUTOR_DOOR_H

#include "base/address.h"

struct conf_distributor;
struct distributor;

/* Room for why there is none. */
#define DOOR_ERROR_SIZE 256

/* How long nobody is let in after accept(2) failed for want of descriptors or memory. */
#define DOOR_RETRY_MS 200

/*
 * Open a listening socket, non-blocking, where the configuration says. Returns its descriptor;
 * or -errno, and `error` says why.
 */
__attribute__((warn_unused_result)) int door_listen(const struct conf_distributor *conf,
                                                    char error[DOOR_ERROR_SIZE]);

/* How long the silence of a machine lasts at most; for connections that come from now on. */
void door_set_patience(int fd, const struct conf_distributor *conf);

/* Let in who knocks there; fd is the distributor's on success. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int door_open(struct distributor *distributor, int fd);

/* The descriptor, and where it listens. */
int door_fd(const struct distributor *distributor);
void door_address(const struct distributor *distributor, char ret_text[ADDRESS_TEXT_SIZE]);

/* Close; nothing happens if there is none. */
void door_close(struct distributor *distributor);

#endif
