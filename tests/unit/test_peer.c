/*
 * What a peer has behind it: who comes back starts slowly, and who is much
 * slower than the others is left out.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "choice_fixture.h"

/* The share of a in 4,000 choices, all at this time, in thousandths. */
static unsigned share_of_a(struct field *field, int64_t now_ms)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 4000; i++)
        n += field_choose(field, now_ms) == 'a';
    return n / 4;
}

static void who_returns_starts_slowly(void **state)
{
    static const struct {
        int64_t after_ms;
        unsigned share;
    } cases[] = {{0, 0}, {1000, 91}, {2500, 200}, {5000, 333}, {9999, 500}, {10000, 500}};
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "11");
    peer_return(&field.peers[0], 5000);
    field_assert_sequence(&field, 5000, "abab"); /* it has no slow start */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "11");
        field.peers[0].slow_start_ms = 10000;
        peer_return(&field.peers[0], 5000);
        assert_in_range(share_of_a(&field, 5000 + cases[i].after_ms),
                        cases[i].share - (cases[i].share > 0), cases[i].share + 1);
    }
}

static void what_counts_as_a_return(void **state)
{
    struct field field;
    struct peer *peer = &field.peers[0];

    (void)state;
    field_fill(&field, CONF_BALANCE_LEAST_CONN, "4");
    peer->slow_start_ms = 10000;
    peer_set_health(peer, true, 1000);
    assert_int_equal(peer_weight(peer, 1000), 4 * PEER_SCALE);
    peer_set_health(peer, false, 1000);
    peer_set_drained(peer, true, 1000);
    peer_set_health(peer, true, 2000);
    assert_int_equal(peer->slow_since_ms, 0); /* still drained */
    peer_set_drained(peer, false, 3000);
    assert_int_equal(peer_weight(peer, 3000), 1);
    assert_int_equal(peer_weight(peer, 8000), 2 * PEER_SCALE);
    assert_int_equal(peer_weight(peer, 13000), 4 * PEER_SCALE);
    peer_failed(peer, false, 20000);
    peer_chosen(peer, 31000);
    peer_succeeded(peer, 31500);
    assert_int_equal(peer_weight(peer, 36500), 2 * PEER_SCALE);
}

static void learn(struct field *field, unsigned peer, int64_t latency_us, unsigned n)
{
    while (n-- > 0)
        peer_learn_latency(&field->peers[peer], latency_us);
}

static void latency_is_smoothed(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "1");
    learn(&field, 0, 800, 1);
    assert_int_equal(field.peers[0].latency_us, 800);
    learn(&field, 0, 1600, 1);
    assert_int_equal(field.peers[0].latency_us, 900);
    learn(&field, 0, 100, 1);
    assert_int_equal(field.peers[0].latency_us, 800);
}

static void who_is_much_slower_than_the_others_is_an_outlier(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "1111");
    field.choice.now_ms = 1000;
    learn(&field, 0, 3001, PEER_LATENCY_SAMPLES - 1);
    for (unsigned i = 1; i < 4; i++)
        learn(&field, i, 1000 * (i == 3 ? 90 : 1), PEER_LATENCY_SAMPLES);
    assert_false(choice_is_outlier(&field.choice, 0, 3)); /* too few samples */
    learn(&field, 0, 3001, 1);
    assert_true(choice_is_outlier(&field.choice, 0, 3));
    assert_false(choice_is_outlier(&field.choice, 0, 4));
    field.peers[1].flags |= PEER_IS_DOWN; /* 1,000 and 90,000 are left: no majority */
    assert_false(choice_is_outlier(&field.choice, 0, 3));
    assert_true(choice_is_outlier(&field.choice, 3, 3));
    field.peers[2].flags |= PEER_IS_BACKUP; /* of another kind */
    assert_true(choice_is_outlier(&field.choice, 3, 3));
    field.peers[0].flags |= PEER_IS_BACKUP;
    assert_false(choice_is_outlier(&field.choice, 3, 3));
}

static void an_outlier_is_out_for_a_while_and_never_the_most(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "111");
    field.choice.now_ms = 1000;
    for (unsigned i = 0; i < 3; i++)
        learn(&field, i, i == 0 ? 90000 : i == 1 ? 9000 : 100, PEER_LATENCY_SAMPLES);
    assert_true(choice_is_outlier(&field.choice, 0, 5));
    field.peers[0].slow_start_ms = 1000;
    peer_eject(&field.peers[0], 1000);
    assert_int_equal(peer_state(&field.peers[0], false, 10999), PEER_EJECTED);
    field_assert_sequence(&field, 10999, "bcbc");
    assert_false(choice_is_outlier(&field.choice, 1, 5)); /* two of three would be out */
    assert_int_equal(peer_state(&field.peers[0], false, 11000), PEER_UP);
    assert_int_equal(peer_weight(&field.peers[0], 11500), PEER_SCALE / 2);
    assert_int_equal(field.peers[0].samples, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_returns_starts_slowly),
        cmocka_unit_test(what_counts_as_a_return),
        cmocka_unit_test(latency_is_smoothed),
        cmocka_unit_test(who_is_much_slower_than_the_others_is_an_outlier),
        cmocka_unit_test(an_outlier_is_out_for_a_while_and_never_the_most),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
