/*
 * Writing the master's journal.
 */
#ifndef ZOMBIE_CLUSTER_CHRONICLE_H
#define ZOMBIE_CLUSTER_CHRONICLE_H

#include "cluster/journal.h"

struct master;
struct slot;

/* Note in the journal what happens now, to the worker in `slot` or (NULL) to the instance. */
__attribute__((format(printf, 4, 5))) void chronicle(struct master *master, enum journal_kind kind,
                                                     const struct slot *slot, const char *format,
                                                     ...);

#endif
