/*
 * The argument `slot` of commands. For the files command_*.c.
 */
#ifndef ZOMBIE_CLUSTER_COMMAND_SLOT_H
#define ZOMBIE_CLUSTER_COMMAND_SLOT_H

#include <stdbool.h>

#include "cluster/operation.h"

/* Whether the slot was given and is one that is to be filled. */
bool command_slot_is_known(const struct operation *operation);

/* Fail, and say which slots there are. */
enum operation_state command_slot_refuse(struct operation *operation);

#endif
