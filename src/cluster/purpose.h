/*
 * Whom a listener is for, and which listeners a configuration wants for each:
 * the clients of the workers, those who watch through the admin child, and
 * zombiectl.
 */
#ifndef ZOMBIE_CLUSTER_PURPOSE_H
#define ZOMBIE_CLUSTER_PURPOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "conf/conf.h"

enum purpose { PURPOSE_CLIENTS, PURPOSE_ADMIN, PURPOSE_CONTROL, PURPOSES };

/* The listeners of one purpose. */
struct purpose_listens {
    const struct conf_listen *items;
    size_t n;
    bool optional;                 /* one that cannot be opened is done without */
    struct conf_listen own;        /* what `items` may point to, */
    char title[ADDRESS_TEXT_SIZE]; /* ... and its title */
};

/* What the configuration wants; borrows from both of its arguments. */
void purpose_find(const struct conf *conf, enum purpose purpose,
                  struct purpose_listens *ret_listens);

#endif
