/*
 * A list of networks of the configuration, read once, and whether a client is in
 * one of them.
 */
#ifndef ZOMBIE_HTTP_NETWORKS_H
#define ZOMBIE_HTTP_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/network.h"

struct conf_list;

struct networks {
    struct network *items;
    size_t n;
};

/* Read CIDR texts, each one checked by the configuration. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int networks_read(const struct conf_list *texts,
                                                      struct networks *ret_networks);

/* Whether the address lies in one of them. */
bool networks_contain(const struct networks *networks, const struct address *address);

/* Free the list; all zero is fine. */
void networks_free(struct networks *networks);

#endif
