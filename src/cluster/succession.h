/*
 * How one worker takes another's place: the successor is born beside the
 * holder of the slot as a candidate, and only when it is READY does the holder
 * leave. So nobody is missed by a client.
 */
#ifndef ZOMBIE_CLUSTER_SUCCESSION_H
#define ZOMBIE_CLUSTER_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

struct master;
struct slot;

/*
 * Fork a candidate of the generation that boots, or else of the current one,
 * for this number, if it has none alive. While there is no place for it the
 * oldest leaver is killed.
 */
void succession_prepare(struct master *master, unsigned number, int64_t now_ms);

/* Make the candidate the holder of its number; whoever held it is, or is about to be, retired. */
void succession_take_over(struct slot *candidate);

/*
 * The worker is not needed any more: it finishes what it has within grace_ms.
 * With `take_queue` it first takes what waits in the kernel's queues, because
 * nobody else will. `reason` is for the log. A slot without a process becomes
 * free.
 */
void succession_retire(struct slot *slot, const char *reason, bool take_queue, int64_t now_ms);

/*
 * The worker finishes what it has within grace_ms, and its slot is then held: not
 * filled again before somebody wants it to be.
 */
void succession_drain(struct slot *slot, int64_t now_ms);

/* To serve comes before to finish slowly: kill the oldest leaver, unless one is dying already. */
void succession_make_room(struct master *master, int64_t now_ms);

#endif
