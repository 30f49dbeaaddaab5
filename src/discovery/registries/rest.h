/*
 * A session with a registry of which every request has one answer: Eureka, Consul. What they
 * are asked, and what they say, is in their wires; here is when, and what becomes of it.
 */
#ifndef ZOMBIE_DISCOVERY_REST_H
#define ZOMBIE_DISCOVERY_REST_H

#include "discovery/driver.h"

struct rest_wire;

/* As struct driver's, of drivers whose open() says how their registry speaks. */
int rest_open(const struct rest_wire *wire, const struct driver_settings *settings,
              void **ret_session);
void rest_begin(void *session, enum driver_task task, const struct driver_record *record);
void rest_follow(void *session, const char *service);
void rest_close(void *session);

#endif
