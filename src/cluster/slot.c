#include "config.h"

#include "cluster/slot.h"

#include <errno.h>

/* Rows: the state; columns: the event. Zero, which is SLOT_EMPTY, needs a mark of its own. */
#define TO(state) ((state) + 1)

static const unsigned char transitions[SLOT_STATES][SLOT_EVENTS] = {
    [SLOT_EMPTY] = {[SLOT_SPAWNED] = TO(SLOT_STARTING), [SLOT_FAILED] = TO(SLOT_BACKOFF)},
    [SLOT_STARTING] = {[SLOT_READY] = TO(SLOT_SERVING),
                       [SLOT_DRAIN] = TO(SLOT_DRAINING),
                       [SLOT_KILL] = TO(SLOT_KILLED),
                       [SLOT_FAILED] = TO(SLOT_BACKOFF),
                       [SLOT_EXITED] = TO(SLOT_EMPTY)},
    [SLOT_SERVING] = {[SLOT_DRAIN] = TO(SLOT_DRAINING),
                      [SLOT_KILL] = TO(SLOT_KILLED),
                      [SLOT_EXITED] = TO(SLOT_EMPTY)},
    [SLOT_DRAINING] = {[SLOT_DRAIN] = TO(SLOT_DRAINING),
                       [SLOT_KILL] = TO(SLOT_KILLED),
                       [SLOT_EXITED] = TO(SLOT_EMPTY)},
    [SLOT_KILLED] = {[SLOT_KILL] = TO(SLOT_KILLED),
                     [SLOT_EXITED] = TO(SLOT_EMPTY),
                     [SLOT_FAILED] = TO(SLOT_BACKOFF)},
    [SLOT_BACKOFF] = {[SLOT_RETRY] = TO(SLOT_EMPTY), [SLOT_FAILED] = TO(SLOT_BACKOFF)},
};

int slot_next(enum slot_state state, enum slot_event event, enum slot_state *ret_next)
{
    unsigned char next = transitions[state][event];
    if (next == 0)
        return -EPROTO;
    *ret_next = (enum slot_state)(next - 1);
    return 0;
}

bool slot_is_alive(enum slot_state state)
{
    return state != SLOT_EMPTY && state != SLOT_BACKOFF;
}

const char *slot_state_name(enum slot_state state)
{
    static const char *const names[SLOT_STATES] = {"empty",    "starting", "serving",
                                                   "draining", "killed",   "backoff"};
    return names[state];
}
