/*
 * Which peer is chosen: the sequences of nginx, who is out and for how long,
 * fewest connections, addresses, chance.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "choice_fixture.h"

static void takes_turns_by_weight(void **state)
{
    static const struct {
        const char *weights;
        const char *wanted;
    } cases[] = {
        {"511", "aabacaaaabacaa"}, {"321", "abacbaabacba"}, {"111", "abcabc"},
        {"12", "babbab"},          {"1", "aaaa"},           {"", "--"},
    };
    struct field field;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        field_fill(&field, CONF_BALANCE_ROUND_ROBIN, cases[i].weights);
        field_assert_sequence(&field, 1000, cases[i].wanted);
    }
}

static void leaves_out_who_was_tried(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "511");
    peer_set_add(&field.tried, 0);
    field_assert_sequence(&field, 1000, "bcbc");
    peer_set_add(&field.tried, 2);
    field_assert_sequence(&field, 1000, "bb");
    peer_set_add(&field.tried, 1);
    field_assert_sequence(&field, 1000, "-");
}

static void leaves_out_who_is_out(void **state)
{
    static const struct {
        enum peer_flag flag;
        enum peer_state wanted;
    } cases[] = {
        {PEER_IS_DOWN, PEER_DOWN},
        {PEER_IS_DRAINED, PEER_DRAINED},
        {PEER_IS_UNHEALTHY, PEER_UNHEALTHY},
    };
    struct field field;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "11");
        field.peers[0].flags |= cases[i].flag;
        assert_int_equal(peer_state(&field.peers[0], false, 0), cases[i].wanted);
        field_assert_sequence(&field, 1000, "bb");
        field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "1");
        field.peers[0].flags |= cases[i].flag;
        field_assert_sequence(&field, 1000, "-");
    }
}

/* Whole seconds: out through the tenth, one probe in each window, in again after a success. */
static void a_failed_one_is_probed_once_a_window(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "11");
    field_assert_sequence(&field, 100999, "a");
    peer_failed(&field.peers[0], false, 100999);
    assert_int_equal(peer_state(&field.peers[0], false, 100999), PEER_FAILED);
    field_assert_sequence(&field, 100999, "bbb");
    field_assert_sequence(&field, 110999, "bbb");
    field_assert_sequence(&field, 111000, "bbabbb"); /* its weight is back, one step a choice */
    field_assert_sequence(&field, 121999, "bbb");
    field_assert_sequence(&field, 122000, "ba");
    peer_succeeded(&field.peers[0], 122500);
    assert_int_equal(field.peers[0].fails, 0);
    field_assert_sequence(&field, 122500, "baba");
}

static void a_success_in_the_window_of_a_failure_forgives_nothing(void **state)
{
    struct field field;
    struct peer *peer = &field.peers[0];

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "");
    field_add(&field, (struct conf_server){.weight = 6, .max_fails = 3, .fail_timeout_ms = 9001});
    peer_chosen(peer, 50000);
    peer_failed(peer, false, 50000);
    peer_succeeded(peer, 50000);
    assert_int_equal(peer->fails, 1);
    assert_int_equal(peer->effective, 4 * PEER_SCALE);
    peer_chosen(peer, 60000);
    peer_succeeded(peer, 60000);
    assert_int_equal(peer->fails, 1);
    peer_chosen(peer, 61000);
    peer_failed(peer, false, 60000);
    peer_chosen(peer, 71000);
    peer_succeeded(peer, 71000);
    assert_int_equal(peer->fails, 0);
    for (int i = 0; i < 9; i++)
        peer_failed(peer, false, 72000);
    assert_int_equal(peer->effective, 0);
    assert_int_equal(peer->failures, 11);
    assert_int_equal(peer->error_ms, 72000);
}

static void no_max_fails_is_never_out(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "");
    field_add(&field, (struct conf_server){.weight = 1, .fail_timeout_ms = 10000});
    field_add(&field, (struct conf_server){.weight = 1, .fail_timeout_ms = 10000});
    for (int i = 0; i < 5; i++)
        peer_failed(&field.peers[0], false, 1000);
    field_assert_sequence(&field, 1000, "abab");
}

static void a_single_one_is_never_out_for_failures(void **state)
{
    struct field field;

    (void)state;
    for (int balance = 0; balance <= CONF_BALANCE_RANDOM_TWO; balance++) {
        field_fill(&field, balance, "1");
        assert_true(choice_is_single(&field.choice));
        peer_failed(&field.peers[0], true, 1000);
        assert_int_equal(field.peers[0].fails, 0);
        field.peers[0].fails = 5;
        field.peers[0].checked_s = 1;
        field.peers[0].ejected_until_ms = 5000;
        field_assert_sequence(&field, 1000, "aa");
        field.peers[0].max_conns = 1;
        field.peers[0].connections = 1;
        field_assert_sequence(&field, 1000, "-");
    }
}

static void backups_come_last(void **state)
{
    struct field field;

    (void)state;
    for (int balance = 0; balance <= CONF_BALANCE_RANDOM_TWO; balance++) {
        field_fill(&field, balance, "1");
        field_add(&field,
                  (struct conf_server){
                      .weight = 1, .max_fails = 1, .fail_timeout_ms = 10000, .backup = true});
        assert_false(choice_is_single(&field.choice));
        field_assert_sequence(&field, 1000, "aa");
        peer_failed(&field.peers[0], false, 1000);
        field_assert_sequence(&field, 1000, "bb");
        peer_failed(&field.peers[1], false, 1000);
        field_assert_sequence(&field, 1000, "-");
        field_assert_sequence(&field, 12000, "a");
    }
}

static void full_ones_are_left_out(void **state)
{
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_ROUND_ROBIN, "11");
    field.peers[0].max_conns = 2;
    field.peers[0].connections = 2;
    assert_int_equal(peer_state(&field.peers[0], false, 0), PEER_BUSY);
    field_assert_sequence(&field, 1000, "bb");
    field.peers[0].connections = 1;
    field_assert_sequence(&field, 1000, "ab");
}

/* Counted by hand from the rules: connections for the weight, then turns among equals. */
static void fewest_connections_are_chosen(void **state)
{
    static const char wanted[] = "cabcbaccc";
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_LEAST_CONN, "112");
    for (size_t i = 0; wanted[i] != '\0'; i++) {
        char got = field_choose(&field, 1000);

        assert_int_equal(got, wanted[i]);
        field.peers[got - 'a'].connections++;
    }
    field.peers[1].connections = 0;
    field_assert_sequence(&field, 1000, "bb");
    peer_set_add(&field.tried, 1);
    assert_int_not_equal(field_choose(&field, 1000), 'b');
}

static struct address make_client(const char *text)
{
    const char *why;
    struct address address;

    assert_int_equal(address_parse(text, &address, &why), 0);
    return address;
}

/* The rule as nginx tells it: one number that is hashed on and on, a table of weights. */
struct model {
    unsigned table[64];
    unsigned total;
    unsigned hash;
    unsigned misses;
};

static void model_begin(struct model *model, const struct field *field)
{
    *model = (struct model){.hash = 89};
    for (unsigned i = 0; i < field->choice.n_primary; i++)
        for (unsigned k = 0; k < field->peers[i].weight; k++)
            model->table[model->total++] = i;
}

/* Returns -1 when it is time for turns. */
static int model_choose(struct model *model, const struct field *field, const unsigned char *bytes,
                        size_t n)
{
    while (model->misses <= 20) {
        unsigned i;

        for (size_t k = 0; k < n; k++)
            model->hash = (model->hash * 113 + bytes[k]) % 6271;
        i = model->table[model->hash % model->total];
        if (!peer_set_has(&field->tried, i) && field->peers[i].flags == 0)
            return (int)i;
        model->misses++;
    }
    return -1;
}

/* All tries of one request. */
static void compare_with_model(struct field *field, const char *client)
{
    struct address address = make_client(client);
    const struct sockaddr_in *in = (void *)&address.storage;
    const struct sockaddr_in6 *in6 = (void *)&address.storage;
    bool is_in6 = address.storage.ss_family == AF_INET6;
    struct model model;
    int wanted;

    field->tried = (struct peer_set){{0}};
    field->choice.client = &address;
    model_begin(&model, field);
    for (;;) {
        wanted = model_choose(&model, field,
                              is_in6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr,
                              is_in6 ? 16 : 3);
        if (wanted < 0)
            break;
        assert_int_equal(field_choose(field, 1000), 'a' + wanted);
        peer_set_add(&field->tried, (unsigned)wanted);
    }
}

static void addresses_are_hashed_as_by_nginx(void **state)
{
    static const char *const weights[] = {"11", "111", "52113", "12345678", "9"};
    struct field field;
    char client[64];

    (void)state;
    for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++)
        for (unsigned down = 0; down < 3; down++)
            for (unsigned k = 0; k < 200; k++) {
                field_fill(&field, CONF_BALANCE_IP_HASH, weights[i]);
                if (down > 0 && field.choice.n > 1)
                    field.peers[down % field.choice.n].flags = PEER_IS_DOWN;
                (void)snprintf(client, sizeof(client), "127.%u.%u.1:9", k * 7 % 256, k);
                compare_with_model(&field, client);
                (void)snprintf(client, sizeof(client), "[2001:db8::%x:%x]:9", k, k * 31);
                compare_with_model(&field, client);
            }
}

static void the_last_octet_and_unix_clients_have_no_say(void **state)
{
    struct address near = make_client("10.1.2.3:1"), same = make_client("10.1.2.250:2");
    struct address path = make_client("unix:/x"), zero = make_client("0.0.0.9:1");
    struct field field;
    char first;

    (void)state;
    field_fill(&field, CONF_BALANCE_IP_HASH, "12345678");
    field.choice.client = &near;
    first = field_choose(&field, 1000);
    field.choice.client = &same;
    assert_int_equal(field_choose(&field, 1000), first);
    field.choice.client = &zero;
    first = field_choose(&field, 1000);
    field.choice.client = &path;
    assert_int_equal(field_choose(&field, 1000), first);
    field.choice.client = NULL;
    assert_int_equal(field_choose(&field, 1000), first);
}

static void without_a_hit_there_are_turns(void **state)
{
    struct address client = make_client("10.1.2.3:1");
    struct field field;

    (void)state;
    field_fill(&field, CONF_BALANCE_IP_HASH, "11");
    field.peers[0].weight = 6271; /* what is hashed is below */
    field.choice.client = &client;
    peer_set_add(&field.tried, 0);
    field_assert_sequence(&field, 1000, "bb");
    peer_set_add(&field.tried, 1);
    field_assert_sequence(&field, 1000, "-");
}

static void the_worst_of_three_is_never_the_better_of_two(void **state)
{
    struct field field;
    unsigned n[FIELD_PEERS] = {0};

    (void)state;
    field_fill(&field, CONF_BALANCE_RANDOM_TWO, "124");
    field.peers[0].connections = 1;
    field.peers[1].connections = 3;
    field.peers[2].connections = 3;
    for (unsigned i = 0; i < 1000; i++)
        n[field_choose(&field, 1000) - 'a']++;
    assert_int_equal(n[1], 0);
    assert_in_range(n[0], 1, 999);
    assert_int_equal(n[0] + n[2], 1000);
}

static void chance_goes_by_weight(void **state)
{
    struct field field;
    unsigned n = 0;

    (void)state;
    field_fill(&field, CONF_BALANCE_RANDOM_TWO, "31");
    for (unsigned i = 0; i < 10000; i++)
        n += field_choose(&field, 1000) == 'a';
    assert_in_range(n, 7300, 7700);
    peer_set_add(&field.tried, 0);
    field_assert_sequence(&field, 1000, "bb");
    peer_set_add(&field.tried, 1);
    field_assert_sequence(&field, 1000, "-");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_turns_by_weight),
        cmocka_unit_test(leaves_out_who_was_tried),
        cmocka_unit_test(leaves_out_who_is_out),
        cmocka_unit_test(a_failed_one_is_probed_once_a_window),
        cmocka_unit_test(a_success_in_the_window_of_a_failure_forgives_nothing),
        cmocka_unit_test(no_max_fails_is_never_out),
        cmocka_unit_test(a_single_one_is_never_out_for_failures),
        cmocka_unit_test(backups_come_last),
        cmocka_unit_test(full_ones_are_left_out),
        cmocka_unit_test(fewest_connections_are_chosen),
        cmocka_unit_test(addresses_are_hashed_as_by_nginx),
        cmocka_unit_test(the_last_octet_and_unix_clients_have_no_say),
        cmocka_unit_test(without_a_hit_there_are_turns),
        cmocka_unit_test(the_worst_of_three_is_never_the_better_of_two),
        cmocka_unit_test(chance_goes_by_weight),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
