/*
 * The life of a slot, as a pure state machine. The states and the ways between
 * them, with the file that takes each step:
 *
 *   EMPTY ─spawned→ STARTING ─ready→ SERVING ─drain→ DRAINING ─exited→ EMPTY
 *     ▲   spawn.c     │  │   hear.c     │    stop.c,    │     reap.c
 *     │               │  │              │    hear.c     │
 *     │               │  └─kill─────────┴─kill──────────┴─kill→ KILLED ─exited→ EMPTY
 *     │               │         reconcile.c, for a deadline        │     reap.c
 *     │               └─failed (exit before READY), reap.c→ BACKOFF ◄─failed─┘
 *     └──────────────────────────────retry, reconcile.c──────┘
 *
 * A worker that dies while SERVING leaves EMPTY behind (exited), which the same
 * turn of the loop fills again.
 */
#ifndef ZOMBIE_CLUSTER_SLOT_H
#define ZOMBIE_CLUSTER_SLOT_H

#include <stdbool.h>

enum slot_state {
    SLOT_EMPTY,
    SLOT_STARTING,
    SLOT_SERVING,
    SLOT_DRAINING,
    SLOT_KILLED,
    SLOT_BACKOFF,
    SLOT_STATES
};

enum slot_event {
    SLOT_SPAWNED, /* a process was forked for it */
    SLOT_READY,   /* it said READY */
    SLOT_DRAIN,   /* it was told to leave, or leaves of its own accord */
    SLOT_KILL,    /* SIGKILL was sent, or what comes before it to one that hangs */
    SLOT_EXITED,  /* it was reaped */
    SLOT_FAILED,  /* it was reaped, or could not be forked, before READY: wait */
    SLOT_RETRY,   /* the wait is over */
    SLOT_EVENTS
};

/*
 * The state that follows. Returns 0 and sets *ret_next, or -EPROTO when the
 * event makes no sense in that state (READY twice, say); *ret_next is then
 * untouched.
 */
__attribute__((warn_unused_result)) int slot_next(enum slot_state state, enum slot_event event,
                                                  enum slot_state *ret_next);

/* Whether a process lives in a slot of this state. */
bool slot_is_alive(enum slot_state state);

/* "empty", "starting", ... as logs and the status say it. */
const char *slot_state_name(enum slot_state state);

#endif
