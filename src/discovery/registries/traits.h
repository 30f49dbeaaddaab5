/*
 * The metadata of an instance, and among them, as texts, how it wants to be balanced: weight,
 * max_fails and fail_timeout (seconds). So it is in Eureka and Consul, which have no place of
 * their own for these. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_TRAITS_H
#define ZOMBIE_DISCOVERY_TRAITS_H

#include <jansson.h>

#include "discovery/member.h"

struct conf_list;
struct conf_registry;

/* "KEY=VALUE", each, as an object of texts: a new reference. NULL as below. */
json_t *traits_metadata(const struct conf_list *metadata);

/*
 * The metadata of conf with our traits, which win, as an object of texts: a new reference. Returns
 * NULL when memory is short or a text is not UTF-8.
 */
json_t *traits_make(const struct conf_registry *conf);

/* Take what the object says, where that makes sense; anything else stays. NULL is fine. */
void traits_read(const json_t *metadata, struct member *member);

#endif
