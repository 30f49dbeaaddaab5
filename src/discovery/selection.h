/*
 * Which member of a service a client shall use: round robin, random, or sticky by a key. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_SELECTION_H
#define ZOMBIE_DISCOVERY_SELECTION_H

#include <stddef.h>
#include <stdint.h>

#include "discovery/member.h"

enum selection { SELECTION_ROUND_ROBIN, SELECTION_RANDOM, SELECTION_STICKY, SELECTIONS };

/* "round_robin", "random", "sticky". */
const char *selection_name(enum selection selection);

/* The selection of this name. Returns 0, or -EINVAL. */
__attribute__((warn_unused_result)) int selection_find(const char *name,
                                                       enum selection *ret_selection);

/*
 * Choose among those that are not down, each by its weight. Returns an index, or n: there is none.
 *
 * round robin: turn 0, 1, 2, ... goes through all, those of weight 2 twice a round; random: by
 * dice, from 0 to below 1; sticky: by the key, of len bytes: the same key gets the same member as
 * long as it is there, and others keep theirs when one comes or goes (D. Thaler and C. Ravishankar,
 * "Using Name-Based Mappings to Increase Hit Rates", 1998, with weights).
 */
size_t selection_round_robin(const struct member *members, size_t n, uint64_t turn);
size_t selection_random(const struct member *members, size_t n, double dice);
size_t selection_sticky(const struct member *members, size_t n, const char *key, size_t len);

#endif
