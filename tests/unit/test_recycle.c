/*
 * Who has served long enough: limits, their staggering, and which reason counts.
 */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/recycle.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define REQUESTS "max_requests reached"
#define MEMORY   "max_memory exceeded"
#define AGE      "max_age reached"

static void staggers(void **state)
{
    static const struct {
        int64_t limit;
        unsigned number;
        unsigned workers;
        int64_t staggered;
    } cases[] = {
        {1000, 1, 1, 1000},
        {1000, 1, 2, 1000},
        {1000, 2, 2, 1250},
        {1000, 1, 4, 1000},
        {1000, 2, 4, 1125},
        {1000, 3, 4, 1250},
        {1000, 4, 4, 1375},
        {1000, 1, 1024, 1000},
        {1000, 2, 1024, 1000},
        {1000, 3, 1024, 1000},
        {1000, 4, 1024, 1001},
        {1000, 513, 1024, 1250},
        {1000, 1024, 1024, 1499},
        {100000, 2, 1024, 100048},
        {100000, 1024, 1024, 149951},
        {86400000, 3, 4, 108000000},
        /* whole part */
        {1, 1, 2, 1},
        {1, 2, 2, 1},
        {3, 2, 2, 3},
        {4, 2, 2, 5},
        {7, 3, 3, 9},
        {8, 4, 4, 11},
        {1, 1024, 1024, 1},
        {2, 1024, 1024, 2},
        {3, 1024, 1024, 4},
        /* beyond N, as while workers become fewer */
        {1000, 2, 1, 1000},
        {1000, 3, 2, 1250},
        {1000, 5, 4, 1375},
        {1000, UINT32_MAX, 4, 1375},
        {0, 1, 1, 0},
        {0, 4, 4, 0},
        /* no overflow: the exact value as long as there is one */
        {INT64_MAX, 1, 1, INT64_MAX},
        {INT64_MAX, 1, 1024, INT64_MAX},
        {INT64_MAX, 2, 2, INT64_MAX},
        {INT64_MAX, 1024, 1024, INT64_MAX},
        {INT64_MAX, UINT32_MAX, UINT32_MAX, INT64_MAX},
        {INT64_MAX / 2, 2, 2, 5764607523034234878},
        {INT64_MAX / 2, 4, 4, 6341068275337658366},
        {INT64_MAX / 2, 1024, 1024, 6915277227827396606},
        {6000000000000000000, 4, 4, 8250000000000000000},
        {6148914691236517204, 1048576, 1048576, 9223369104823768403},
        {6148914691236517204, UINT32_MAX, UINT32_MAX, 9223372036138947923},
        {6148914691713735793, UINT32_MAX, UINT32_MAX, INT64_MAX - 1},
        {6148914691713735794, UINT32_MAX, UINT32_MAX, INT64_MAX},
        {6148914691952345156, UINT32_MAX, UINT32_MAX, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t staggered = recycle_staggered(cases[i].limit, cases[i].number, cases[i].workers);

        if (staggered != cases[i].staggered)
            fail_msg("%" PRId64 " for slot %u of %u: %" PRId64, cases[i].limit, cases[i].number,
                     cases[i].workers, staggered);
    }
}

/* Each slot has a limit of its own, when the limit is large enough to be told apart. */
static void separates_all_slots(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 4, 7, 64, 1024};

    (void)state;
    for (size_t i = 0; i < LENGTH(workers); i++) {
        int64_t last = 9999;

        for (unsigned number = 1; number <= workers[i]; number++) {
            int64_t staggered = recycle_staggered(10000, number, workers[i]);

            if (staggered <= last || staggered >= 15000)
                fail_msg("slot %u of %u: %" PRId64, number, workers[i], staggered);
            last = staggered;
        }
    }
}

static const struct recycle_case {
    const char *title;
    struct recycle_limits limits;
    struct recycle_facts facts;
    const char *reason;
} cases[] = {
    {"no limits, nothing done", {0, 0, 0}, {1, 1, 0, 0, 0}, NULL},
    {"no limits", {0, 0, 0}, {1, 1, UINT64_MAX, INT64_MAX, INT64_MAX}, NULL},
    {"far from all", {100, 1 << 30, 3600000}, {1, 1, 5, 1 << 20, 20000}, NULL},

    {"requests below", {100, 0, 0}, {1, 1, 99, 0, 0}, NULL},
    {"requests at", {100, 0, 0}, {1, 1, 100, 0, 0}, REQUESTS},
    {"requests above", {100, 0, 0}, {1, 1, 101, 0, 0}, REQUESTS},
    {"requests far above", {100, 0, 0}, {1, 1, UINT64_MAX, 0, 0}, REQUESTS},
    {"none of one", {1, 0, 0}, {1, 1, 0, 0, 0}, NULL},
    {"the one request", {1, 0, 0}, {1, 1, 1, 0, 0}, REQUESTS},
    {"requests, staggered, below", {100, 0, 0}, {2, 2, 124, 0, 0}, NULL},
    {"requests, staggered, at", {100, 0, 0}, {2, 2, 125, 0, 0}, REQUESTS},
    {"requests, beyond N, below", {100, 0, 0}, {9, 4, 136, 0, 0}, NULL},
    {"requests, beyond N, at", {100, 0, 0}, {9, 4, 137, 0, 0}, REQUESTS},

    {"memory below", {0, 5000, 0}, {1, 1, 9, 4999, 20000}, NULL},
    {"memory at", {0, 5000, 0}, {1, 1, 9, 5000, 20000}, NULL},
    {"memory above", {0, 5000, 0}, {1, 1, 9, 5001, 20000}, MEMORY},
    {"memory is not staggered", {0, 5000, 0}, {4, 4, 9, 5001, 20000}, MEMORY},
    {"memory unknown", {0, 1, 0}, {1, 1, 9, -1, 20000}, NULL},
    {"memory, too young", {0, 5000, 0}, {1, 1, 9, 5001, 9999}, NULL},
    {"memory, just old enough", {0, 5000, 0}, {1, 1, 9, 5001, 10000}, MEMORY},
    {"memory, newborn", {0, 5000, 0}, {1, 1, 9, INT64_MAX, 0}, NULL},
    {"memory, greatest limit", {0, INT64_MAX, 0}, {1, 1, 9, INT64_MAX, 20000}, NULL},

    {"age below", {0, 0, 60000}, {1, 1, 9, 0, 59999}, NULL},
    {"age at", {0, 0, 60000}, {1, 1, 9, 0, 60000}, AGE},
    {"age above", {0, 0, 60000}, {1, 1, 9, 0, 60001}, AGE},
    {"age, staggered, below", {0, 0, 60000}, {3, 4, 9, 0, 74999}, NULL},
    {"age, staggered, at", {0, 0, 60000}, {3, 4, 9, 0, 75000}, AGE},
    {"age needs no ten seconds", {0, 0, 500}, {1, 1, 9, 0, 500}, AGE},
    {"age, greatest limit", {0, 0, INT64_MAX}, {4, 4, 9, 0, INT64_MAX - 1}, NULL},
    {"age of one born after now", {0, 0, 500}, {1, 1, 9, 0, -1}, NULL},

    {"all three", {100, 5000, 60000}, {1, 1, 100, 5001, 60000}, REQUESTS},
    {"requests and memory", {100, 5000, 60000}, {1, 1, 100, 5001, 59999}, REQUESTS},
    {"requests and age", {100, 5000, 60000}, {1, 1, 100, 5000, 60000}, REQUESTS},
    {"memory and age", {100, 5000, 60000}, {1, 1, 99, 5001, 60000}, MEMORY},
    {"only age of three", {100, 5000, 60000}, {1, 1, 99, 5000, 60000}, AGE},
    {"age, and memory unknown", {100, 5000, 60000}, {1, 1, 99, -1, 60000}, AGE},
    {"age, too young for memory", {100, 5000, 500}, {1, 1, 99, 5001, 500}, AGE},
};

static const char *reason_text(const char *reason)
{
    return reason != NULL ? reason : "no reason";
}

static void gives_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *reason = recycle_reason(&cases[i].limits, &cases[i].facts);

        if (strcmp(reason_text(reason), reason_text(cases[i].reason)) != 0)
            fail_msg("%s: %s", cases[i].title, reason_text(reason));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(staggers),
        cmocka_unit_test(separates_all_slots),
        cmocka_unit_test(gives_the_reason),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
