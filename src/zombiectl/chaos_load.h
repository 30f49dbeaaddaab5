/*
 * The probe load: clients that ask all the time, every other one over a
 * connection that it keeps.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_LOAD_H
#define ZOMBIE_ZOMBIECTL_CHAOS_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct chaos_load;
struct chaos_tally;
struct chaos_target;
struct event_base;

/* Begin with n clients; target and tally are borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int chaos_load_new(struct event_base *base,
                                                       const struct chaos_target *target,
                                                       struct chaos_tally *tally, size_t n,
                                                       struct chaos_load **ret_load);

/* Begin no other request. */
void chaos_load_stop(struct chaos_load *load);

/* Whether it has been stopped and no request is open. */
bool chaos_load_is_idle(const struct chaos_load *load);

/* NULL is fine. */
void chaos_load_free(struct chaos_load *load);

#endif
