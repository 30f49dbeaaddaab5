/*
 * Registries spoken to over HTTP, for tests: requests as texts, answers from texts.
 */
#ifndef ZOMBIE_TESTS_WIRE_FIXTURE_H
#define ZOMBIE_TESTS_WIRE_FIXTURE_H

#include <stddef.h>

#include "discovery/http_client.h"
#include "discovery/registries/rest_wire.h"

/* What the section is by default, and the URL http://registry:8761/eureka; tests change it. */
extern struct conf_registry wire_conf;
extern struct registry_url wire_url;

/* An instance "10.0.0.5:api:3000" of "api" that is UP. */
extern struct driver_record wire_record;

void wire_reset(void);

/* "METHOD TARGET BODY" of a step of a task, good until the next call. */
const char *wire_ask(const struct rest_wire *wire, enum driver_task task, unsigned step);

/* The same of a look-up; *ret_timeout_ms may be NULL. */
const char *wire_ask_members(const struct rest_wire *wire, const char *service, uint64_t index,
                             long *ret_timeout_ms);

/* What a step of a task makes of this status and body; 0: no answer. */
enum driver_outcome wire_judge(const struct rest_wire *wire, enum driver_task task, unsigned step,
                               int status, const char *body);

/* The reason of the last outcome. */
const char *wire_why(void);

/*
 * What a look-up with this index makes of an answer; fields are "Name", "value" pairs,
 * NULL-terminated, or NULL. Its result is the fixture's, and lookup.index is the next one.
 */
enum driver_outcome wire_read(const struct rest_wire *wire, uint64_t index, int status,
                              const char *const *fields, const char *body,
                              struct rest_lookup **ret_lookup);

/* Members as "id host:port weight max_fails fail_timeout_ms" with ';' between. */
const char *wire_members(const struct rest_lookup *lookup);

#endif
