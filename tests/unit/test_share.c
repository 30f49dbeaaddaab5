/*
 * Which sockets fall to which slot: each to somebody, and nobody has none.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/share.h"

#define LENGTH(array)  (sizeof(array) / sizeof((array)[0]))
#define WORKERS_TRIED  9
#define SOCKETS_TRIED  20
#define SOCKETS_LISTED 8

static void shares_out(void **state)
{
    static const struct {
        struct share share;
        const char *sockets; /* a digit for each of the first SOCKETS_LISTED */
    } cases[] = {
        {{1, 4}, "10001000"},
        {{2, 4}, "01000100"},
        {{3, 4}, "00100010"},
        {{4, 4}, "00010001"},
        {{1, 3}, "10010010"},
        {{2, 3}, "01001001"},
        {{3, 3}, "00100100"},
        {{1, 2}, "10101010"},
        {{2, 2}, "01010101"},
        {{8, 8}, "00000001"},
        {{9, 9}, "00000000"},
        /* alone, or in place of one that is held: all, whatever the number */
        {{1, 1}, "11111111"},
        {{3, 1}, "11111111"},
        /* born under another program: nobody knows */
        {{1, 0}, "00000000"},
        {{2, 0}, "00000000"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t j = 0; j < SOCKETS_LISTED; j++)
            if (share_has(cases[i].share, j) != (cases[i].sockets[j] == '1'))
                fail_msg("share %u of %u, socket %zu", cases[i].share.number, cases[i].share.of, j);
}

static void gives_each_socket_to_one(void **state)
{
    (void)state;
    for (unsigned of = 1; of <= WORKERS_TRIED; of++)
        for (size_t j = 0; j < SOCKETS_TRIED; j++) {
            unsigned owners = 0;
            for (unsigned number = 1; number <= of; number++)
                owners += share_has((struct share){number, of}, j);
            assert_int_equal(owners, 1);
        }
}

static void leaves_nobody_without(void **state)
{
    (void)state;
    for (unsigned of = 1; of <= WORKERS_TRIED; of++)
        for (unsigned number = 1; number <= of; number++)
            for (size_t n = 1; n <= SOCKETS_TRIED; n++) {
                struct share share = {number, of};
                size_t first = share_first(share, n);
                assert_true(first < n);
                assert_true(share_has(share, first) || n < number);
            }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_out),
        cmocka_unit_test(gives_each_socket_to_one),
        cmocka_unit_test(leaves_nobody_without),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
