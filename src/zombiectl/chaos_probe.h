/*
 * One client of the probe load: GET after GET on an event loop, on a connection
 * that is kept, or on a new one for each.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_PROBE_H
#define ZOMBIE_ZOMBIECTL_CHAOS_PROBE_H

#include <stdbool.h>

struct chaos_probe;
struct chaos_tally;
struct chaos_target;
struct event_base;

/* An answer may take so long, in milliseconds, connecting included. */
#define CHAOS_PROBE_TIMEOUT_MS 5000

/* Between an answer and the next request, in microseconds: a client that leaves the CPUs some time
 * for the server. */
#define CHAOS_PROBE_REST_US 1000

/*
 * Begin at once. target and tally are borrowed; `keeps` says whether the
 * connection is kept between requests. One that the server has closed before
 * a byte of the answer is replaced and the request sent once more if an answer
 * had come over it before (RFC 9112 section 9.3.1.1). Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int chaos_probe_new(struct event_base *base,
                                                        const struct chaos_target *target,
                                                        struct chaos_tally *tally, bool keeps,
                                                        struct chaos_probe **ret_probe);

/* Finish the request that is open and begin no other. */
void chaos_probe_stop(struct chaos_probe *probe);

/* Whether it has been stopped and no request is open. */
bool chaos_probe_is_idle(const struct chaos_probe *probe);

/* An open request is forgotten, it does not count; NULL is fine. */
void chaos_probe_free(struct chaos_probe *probe);

#endif
