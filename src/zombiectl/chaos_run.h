/*
 * A run of chaos: kills, the probe load, and what the server tells meanwhile,
 * all on one loop.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_RUN_H
#define ZOMBIE_ZOMBIECTL_CHAOS_RUN_H

#include <stdint.h>

struct chaos_options;
struct chaos_report;
struct chaos_target;
struct zombiectl;

/* All workers must serve again so long after the last kill, in milliseconds. */
#define CHAOS_RECOVERY_MS 30000

/*
 * Carry the options out, with their seed, against the server of the session,
 * which has `slots` worker slots and whose last event has the number `seq`. Blocks until
 * the end; SIGINT and SIGTERM make it come early, a second one at once. Returns
 * 0 and has filled *report, which the caller has zeroed and clears with
 * chaos_strength_clear(&report->strength); or -errno, nothing was killed then.
 */
__attribute__((warn_unused_result)) int chaos_run(struct zombiectl *ctl,
                                                  const struct chaos_options *options,
                                                  const struct chaos_target *target, unsigned slots,
                                                  int64_t seq, struct chaos_report *report);

#endif
