/*
 * W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/): read a
 * traceparent, go on from it or begin a new trace, and write it again.
 */
#ifndef ZOMBIE_HTTP_TRACE_CONTEXT_H
#define ZOMBIE_HTTP_TRACE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Room for a traceparent of version 00, NUL included. */
#define TRACE_PARENT_SIZE 56

/* The only flag of level 1: whoever set it may have recorded the request. */
#define TRACE_SAMPLED 0x01

struct trace_context {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags;
};

/*
 * Where random ids come from: xoshiro256**, fast and well spread. Whoever sees
 * some ids can tell the next ones, so it is nothing for secrets.
 */
struct trace_random {
    uint64_t state[4]; /* never all zero */
};

/*
 * Seed from getrandom(2), without waiting; in each worker, after the fork, or
 * workers would give out the same ids. Returns 0, or -errno: then `random` is
 * seeded with the time, the process and its address, and good enough.
 */
int trace_random_seed(struct trace_random *random);

/*
 * Read the value of a traceparent field, without blanks around it (section
 * 3.2): lower-case digits, no id of zeros, version 00 in exactly 55 characters,
 * a later one in 55 or in more that go on with '-', not version ff. Flags other
 * than TRACE_SAMPLED are cleared, as level 1 wants it. Returns 0, or -EINVAL
 * and leaves ret_context alone; then begin a new trace, and forget the
 * tracestate too (section 4.3).
 */
__attribute__((warn_unused_result)) int trace_context_parse(const char *traceparent,
                                                            struct trace_context *ret_context);

/* A new span under the trace of `parent`, with its flags; both may be the same object. */
void trace_context_child(const struct trace_context *parent, struct trace_random *random,
                         struct trace_context *ret_context);

/*
 * A new trace with its first span. It is sampled: the access log has it, and a
 * tracer behind us that follows its parent, as most do by default, would record
 * nothing if we said no.
 */
void trace_context_new(struct trace_random *random, struct trace_context *ret_context);

/* Write it as a traceparent of version 00, 55 characters and NUL. */
void trace_context_format(const struct trace_context *context, char buf[TRACE_PARENT_SIZE]);

/*
 * Whether a tracestate may be passed on as it is: at most 512 bytes and 32
 * members (section 3.3.1), empty ones counted, of printable ASCII and tabs.
 * What the members say is the business of those who wrote them.
 */
bool trace_state_is_sane(const char *tracestate);

#endif
