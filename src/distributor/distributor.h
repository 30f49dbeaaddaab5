/*
 * The star: nodes tell it who they are, it tells each of them who is there.
 */
#ifndef ZOMBIE_DISTRIBUTOR_DISTRIBUTOR_H
#define ZOMBIE_DISTRIBUTOR_DISTRIBUTOR_H

#include <stddef.h>

struct conf_distributor;
struct distributor;
struct event_base;

/*
 * Make one on the loop, with the limits of the configuration, that listens on the socket of
 * door_listen(), which is its own on success. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int distributor_new(struct event_base *base, int fd,
                                                        const struct conf_distributor *conf,
                                                        struct distributor **ret_distributor);

/*
 * Take other limits; who is in none of the networks any more is closed, who is one too many stays.
 * Returns 0; or -ENOMEM, and all is as it was.
 */
__attribute__((warn_unused_result)) int distributor_limit(struct distributor *distributor,
                                                          const struct conf_distributor *conf);

/* How many descriptors one needs with such limits. */
size_t distributor_descriptors(const struct conf_distributor *conf);

/* Close all connections and free; NULL is fine. */
void distributor_free(struct distributor *distributor);

#endif
