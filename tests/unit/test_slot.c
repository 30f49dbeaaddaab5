/*
 * The whole state machine of a slot: what follows each event in each state.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/slot.h"

#define NO SLOT_STATES /* the event makes no sense */

static const enum slot_state table[SLOT_STATES][SLOT_EVENTS] = {
    /*                  spawned, ready, drain, kill, exited, failed, retry */
    [SLOT_EMPTY] = {SLOT_STARTING, NO, NO, NO, NO, SLOT_BACKOFF, NO},
    [SLOT_STARTING] = {NO, SLOT_SERVING, SLOT_DRAINING, SLOT_KILLED, SLOT_EMPTY, SLOT_BACKOFF, NO},
    [SLOT_SERVING] = {NO, NO, SLOT_DRAINING, SLOT_KILLED, SLOT_EMPTY, NO, NO},
    [SLOT_DRAINING] = {NO, NO, SLOT_DRAINING, SLOT_KILLED, SLOT_EMPTY, NO, NO},
    [SLOT_KILLED] = {NO, NO, NO, SLOT_KILLED, SLOT_EMPTY, SLOT_BACKOFF, NO},
    [SLOT_BACKOFF] = {NO, NO, NO, NO, NO, SLOT_BACKOFF, SLOT_EMPTY},
};

static void follows_the_table(void **state)
{
    (void)state;
    for (int from = 0; from < SLOT_STATES; from++) {
        for (int event = 0; event < SLOT_EVENTS; event++) {
            enum slot_state next = SLOT_STATES, expected = table[from][event];
            int r = slot_next((enum slot_state)from, (enum slot_event)event, &next);

            if (r != (expected == NO ? -EPROTO : 0) || next != expected)
                fail_msg("%s, event %d: result %d, state %d",
                         slot_state_name((enum slot_state)from), event, r, (int)next);
        }
    }
}

static void tells_the_living(void **state)
{
    (void)state;
    assert_false(slot_is_alive(SLOT_EMPTY));
    assert_true(slot_is_alive(SLOT_STARTING));
    assert_true(slot_is_alive(SLOT_SERVING));
    assert_true(slot_is_alive(SLOT_DRAINING));
    assert_true(slot_is_alive(SLOT_KILLED));
    assert_false(slot_is_alive(SLOT_BACKOFF));
}

static void names_the_states(void **state)
{
    static const char *const names[SLOT_STATES] = {"empty",    "starting", "serving",
                                                   "draining", "killed",   "backoff"};

    (void)state;
    for (int i = 0; i < SLOT_STATES; i++)
        assert_string_equal(slot_state_name((enum slot_state)i), names[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_table),
        cmocka_unit_test(tells_the_living),
        cmocka_unit_test(names_the_states),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
