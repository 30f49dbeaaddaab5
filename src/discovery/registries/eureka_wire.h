/*
 * Eureka's REST interface in JSON, as its servers since 1.4 speak it. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_EUREKA_WIRE_H
#define ZOMBIE_DISCOVERY_EUREKA_WIRE_H

#include "discovery/registries/rest_wire.h"

extern const struct rest_wire eureka_wire;

#endif
