/*
 * Entries of the journal as those see them who ask for events.
 */
#ifndef ZOMBIE_CLUSTER_EVENT_JSON_H
#define ZOMBIE_CLUSTER_EVENT_JSON_H

#include <jansson.h>

struct journal_entry;

/* The object that doc/protocol.md describes, the caller's; NULL when memory is short. */
json_t *event_json(const struct journal_entry *entry);

#endif
