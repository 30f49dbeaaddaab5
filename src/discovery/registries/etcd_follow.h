/*
 * A service of etcd that is looked up: all its keys, then a watch that tells what becomes of
 * them, and every refresh_ms all of them again. A connection may die without a word, or a server be
 * cut off from the others and know nothing new: then the answer is none in time, or differs from
 * what the watch has told, and the watch is begun anew.
 */
#ifndef ZOMBIE_DISCOVERY_ETCD_FOLLOW_H
#define ZOMBIE_DISCOVERY_ETCD_FOLLOW_H

#include "discovery/driver.h"
#include "discovery/registries/etcd_link.h"

struct etcd_follow;

/* Settings and link must live as long. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int etcd_follow_new(const struct driver_settings *settings,
                                                        struct etcd_link *link, const char *service,
                                                        struct etcd_follow **ret_follow);

/* The service's name. */
const char *etcd_follow_name(const struct etcd_follow *follow);

/* Begin, unless it goes on: found() and lost() of the settings tell. */
void etcd_follow_begin(struct etcd_follow *follow);

/* NULL is fine. */
void etcd_follow_free(struct etcd_follow *follow);

#endif
