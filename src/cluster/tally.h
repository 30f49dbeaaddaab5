/*
 * What became of the workers of each number: how often it was filled again, how
 * the last one ended that was not to, and how long nobody served. Shown on the scoreboard.
 */
#ifndef ZOMBIE_CLUSTER_TALLY_H
#define ZOMBIE_CLUSTER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/scoreboard.h"

struct death;
struct slot;
struct tallies;

/* On this scoreboard, which is borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int tallies_new(struct scoreboard *scoreboard,
                                                    struct tallies **ret_tallies);

/* NULL is fine. */
void tallies_free(struct tallies *tallies);

/* A worker was forked. */
void tally_birth(struct slot *slot);

/* It serves; now_us of clock_now_us(). If its number was vacant by a death, that is over. */
void tally_ready(const struct slot *slot, int64_t now_us);

/* A worker was buried; `leaves_gap`: nobody serves for its number now, since now_us. */
void tally_death(const struct slot *slot, const struct death *death, bool leaves_gap,
                 int64_t now_us);

/* Nobody serves for its number from now on, though its worker, which hangs, still lives. */
void tally_vacate(const struct slot *slot, int64_t now_us);

/* Nobody is wanted for that number any more. */
void tally_forget(struct tallies *tallies, unsigned number);

/* Of which kind a death is; its slot as it was. */
enum scoreboard_count tally_kind(const struct slot *slot, const struct death *death);

#endif
