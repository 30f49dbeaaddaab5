/*
 * What /metrics says of the registry, read from the directory, which the herald writes.
 */
#ifndef ZOMBIE_ADMIN_METRICS_REGISTRY_H
#define ZOMBIE_ADMIN_METRICS_REGISTRY_H

#include "base/bytes.h"

struct directory;

void metrics_registry(struct directory *directory, struct bytes *out);

#endif
