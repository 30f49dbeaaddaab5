/*
 * Consul's HTTP interface, version 1: an agent that services register with, each with a check
 * of its own that has to be refreshed within its time to live. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_CONSUL_WIRE_H
#define ZOMBIE_DISCOVERY_CONSUL_WIRE_H

#include "discovery/registries/rest_wire.h"

extern const struct rest_wire consul_wire;

#endif
