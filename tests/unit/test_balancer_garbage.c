/*
 * The balancer when somebody writes anything into its memory: all that read it
 * stay within it, and come to an end.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "balancer_fixture.h"
#include "proxy/balancer_state.h"

#define PLACES     4
#define UPSTREAMS  4 /* one for each way to choose */
#define SEEDS      12
#define ROUNDS     300
#define DEADLINE_S 250
#define NOW_MS     1000000

static const char *const titles[UPSTREAMS] = {"a", "b", "c", "d"};

static struct balancer *balancer;
static struct conf conf;
static struct balancer_view views[BALANCER_PEERS];

static int set_up(void **state)
{
    (void)state;
    alarm(DEADLINE_S);
    if (balancer_new(PLACES, &balancer) != 0)
        return -1;
    for (int i = 0; i < UPSTREAMS; i++)
        fixture_add(&conf, titles[i], i, "127.0.0.1:1*3~ app:80 127.0.0.1:2 app:80! 127.0.0.1:3!");
    for (int i = 0; i < UPSTREAMS; i++)
        conf.upstreams[i].eject_latency = 3;
    return balancer_apply(balancer, &conf, 0);
}

static int tear_down(void **state)
{
    (void)state;
    fixture_clear(&conf);
    balancer_free(balancer);
    alarm(0);
    return 0;
}

/* xorshift64 */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* What comes out is nonsense, too. */
static void ignore(int result)
{
    (void)result;
}

static void look(struct balancer_upstream *upstream)
{
    char title[BALANCER_TITLE_SIZE];
    size_t n = balancer_list(upstream, NOW_MS, views, BALANCER_PEERS);

    balancer_title(upstream, title);
    assert_true(strlen(title) < sizeof(title));
    assert_in_range(balancer_method(upstream), 0, CONF_BALANCE_RANDOM_TWO);
    (void)balancer_repairs(upstream);
    assert_in_range(n, 0, BALANCER_PEERS);
    for (size_t i = 0; i < n; i++) {
        assert_in_range(views[i].peer, 0, BALANCER_PEERS - 1);
        assert_in_range(views[i].address.len, 0, sizeof(views[i].address.storage));
        assert_non_null(memchr(views[i].name, '\0', sizeof(views[i].name)));
        assert_non_null(memchr(views[i].server, '\0', sizeof(views[i].server)));
        assert_non_null(peer_state_name(views[i].state));
    }
}

/* What workers do with a connection, however it ends. */
static void work(struct balancer_upstream *upstream, enum balancer_outcome outcome)
{
    struct peer_set tried = {{0}};
    struct balancer_pick pick;

    upstream->incarnation = get_relaxed(upstream->shared->incarnation);
    if (balancer_choose(upstream, 1, &tried, NULL, NOW_MS, &pick) != 0)
        return;
    assert_in_range(pick.peer, 0, BALANCER_PEERS - 1);
    assert_in_range(pick.address.len, 0, sizeof(pick.address.storage));
    assert_non_null(memchr(pick.name, '\0', sizeof(pick.name)));
    balancer_done(upstream, 1, &pick, outcome, NOW_MS, 1000);
}

static void watch(struct balancer_upstream *upstream)
{
    upstream->incarnation = get_relaxed(upstream->shared->incarnation);
    (void)fixture_resolve(upstream, "app:80", "10.0.0.1:80 10.0.0.2:80 unix:/run/a", NOW_MS);
    for (unsigned i = 0; i < BALANCER_PEERS; i += 31)
        (void)balancer_set_health(upstream, i, upstream->shared->peers[i].incarnation, i % 2 == 0,
                                  NOW_MS);
}

/* In all roles. */
static void use(struct balancer_upstream *upstream)
{
    balancer_as(balancer, 1);
    for (int i = 0; i < 3; i++)
        for (int outcome = BALANCER_OK; outcome <= BALANCER_CANCELLED; outcome++)
            work(upstream, (enum balancer_outcome)outcome);
    balancer_as(balancer, 2);
    watch(upstream);
    look(upstream);
    balancer->number = NUMBER_OF_MASTER;
    ignore(balancer_set_drained(upstream, "app:80", true, NOW_MS));
    look(upstream);
}

static void rule(void)
{
    balancer->number = NUMBER_OF_MASTER;
    for (unsigned place = 0; place < PLACES; place++)
        ignore(balancer_bury(balancer, place));
    ignore(balancer_apply(balancer, &conf, NOW_MS));
    for (size_t i = 0; i < UPSTREAMS; i++) {
        struct balancer_upstream *upstream = balancer_find(balancer, titles[i]);

        if (upstream != NULL)
            look(upstream);
    }
    for (size_t i = 0; i < BALANCER_UPSTREAMS; i++)
        (void)balancer_at(balancer, i);
}

static void use_all(void)
{
    for (size_t i = 0; i < UPSTREAMS; i++)
        use(&balancer->upstreams[i]);
    rule();
}

/* Where the titles are kept, the master finds the rest. */
static void put_titles(void)
{
    for (size_t i = 0; i < UPSTREAMS; i++) {
        struct shared_upstream *shared = &balancer->board->upstreams[i];

        memcpy(shared->title, titles[i], 2);
        shared->state = UPSTREAM_LIVE;
        for (size_t k = 0; k < PEER_MAX; k++)
            memcpy(shared->servers[k].title, k % 2 == 0 ? "app:80\0\0\0\0\0" : "127.0.0.1:2", 12);
    }
}

static void fill(uint64_t seed)
{
    uint64_t *words = balancer->memory.at;

    for (size_t i = 0; i < balancer->memory.size / sizeof(*words); i++)
        words[i] = draw(&seed);
}

static void anything_may_be_everywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fill(seed * UINT64_C(0x9e3779b97f4a7c15));
        if (seed % 3 != 0)
            put_titles();
        use_all();
    }
}

static void each_byte_may_be_the_same(void **state)
{
    static const unsigned char bytes[] = {0xff, 0x80, 0x7f, 0x01, 0x00};

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        memset(balancer->memory.at, bytes[i], balancer->memory.size);
        if (bytes[i] != 0x01)
            put_titles();
        use_all();
    }
}

/* Write each value to each word of this part of the first upstream. */
static void spoil(size_t from, size_t size)
{
    static const uint32_t values[] = {0, 1, UINT8_MAX, 0x80000000, UINT32_MAX};
    static struct shared_upstream saved;
    struct balancer_upstream *upstream = &balancer->upstreams[0];

    memcpy(&saved, upstream->shared, sizeof(saved));
    for (size_t at = from; at + 4 <= from + size; at += 4)
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            memcpy((char *)upstream->shared + at, &values[i], 4);
            use(upstream);
            rule();
            memcpy(upstream->shared, &saved, sizeof(saved));
        }
}

static void each_number_may_be_wrong(void **state)
{
    size_t head = offsetof(struct shared_upstream, orders);

    (void)state;
    for (int balance = 0; balance < UPSTREAMS; balance++) {
        conf.upstreams[0].balance = balance;
        rule();
        watch(&balancer->upstreams[0]);
        spoil(0, balance == 0 ? head : 0);
        spoil(head, 8);
        spoil(offsetof(struct shared_upstream, peers), sizeof(struct peer));
    }
    spoil(offsetof(struct shared_upstream, orders), 2 * sizeof(struct order));
    spoil(offsetof(struct shared_upstream, members), sizeof(struct member));
    spoil(offsetof(struct shared_upstream, title), 16);
    spoil(offsetof(struct shared_upstream, n_servers), 8);
    spoil(offsetof(struct shared_upstream, servers) + BALANCER_TITLE_SIZE,
          sizeof(struct server) - BALANCER_TITLE_SIZE);
}

/* Returns a child that writes as long as it lives. */
static pid_t start_scribbler(uint64_t seed)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        uint64_t *words = (uint64_t *)&balancer->board->upstreams[0];
        size_t n = UPSTREAMS * sizeof(struct shared_upstream) / sizeof(*words);
        size_t head = offsetof(struct shared_upstream, members) / sizeof(*words);

        alarm(DEADLINE_S);
        for (;;) {
            uint64_t value = draw(&seed);
            size_t upstream = value / 7 % UPSTREAMS * (n / UPSTREAMS);

            words[value % 3 == 0 ? value / 31 % n : upstream + value / 31 % head] =
                draw(&seed) >> draw(&seed) % 64;
        }
    }
    return pid;
}

static void anything_may_change_at_any_time(void **state)
{
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
    pid_t scribbler = start_scribbler(seed);
    int status;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (size_t k = 0; k < UPSTREAMS; k++)
            balancer->board->upstreams[k].lock = 0;
        put_titles();
        use_all();
    }
    assert_int_equal(kill(scribbler, SIGKILL), 0);
    assert_int_equal(waitpid(scribbler, &status, 0), scribbler);
}

/* Returns whether the lock is had and free again, by this number. */
static bool takes(struct balancer_upstream *upstream, uint32_t number)
{
    bool is_taken;

    balancer->number = number;
    is_taken = balancer_lock(upstream) == 0;
    if (is_taken)
        balancer_unlock(upstream);
    balancer->number = NUMBER_OF_MASTER;
    return is_taken;
}

static void a_lock_that_nobody_can_have_is_taken(void **state)
{
    struct balancer_upstream *upstream = &balancer->upstreams[0];

    (void)state;
    upstream->shared->lock = PLACES + 1; /* no such place */
    assert_true(takes(upstream, 1));
    upstream->shared->lock = PLACES + 1;
    assert_true(takes(upstream, NUMBER_OF_MASTER));
    upstream->shared->lock = 1; /* it knows that it has not */
    assert_true(takes(upstream, 1));
    upstream->shared->lock = NUMBER_OF_MASTER;
    assert_false(takes(upstream, 1));
    assert_true(takes(upstream, NUMBER_OF_MASTER));
    assert_int_equal(balancer_repairs(upstream), 4);
    upstream->shared->lock = 1;
    assert_false(takes(upstream, NUMBER_OF_MASTER));
    assert_false(balancer_bury(balancer, 1));
    assert_true(balancer_bury(balancer, 0));
    assert_int_equal(upstream->shared->lock, 0);
    assert_true(takes(upstream, 2));
}

/* Who is not asked to do anything with the upstream, never finds that it is said to have it. */
static void the_master_does_not_wait_for_ever(void **state)
{
    struct balancer_upstream *upstream = &balancer->upstreams[0];

    (void)state;
    upstream->shared->lock = 1;
    assert_false(balancer_bury(balancer, 1));
    upstream->held_since_ms -= 3600000;
    assert_false(balancer_bury(balancer, 1)); /* two looks say nothing */
    upstream->n_held = 1000;
    assert_true(balancer_bury(balancer, 1));
    assert_int_equal(balancer_repairs(upstream), 1);
}

/* It goes on after others have thought it dead. */
static void who_has_lost_the_lock_frees_no_other(void **state)
{
    struct balancer_upstream *upstream = &balancer->upstreams[0];

    (void)state;
    assert_int_equal(balancer_lock(upstream), 0);
    upstream->shared->lock = 2;
    balancer_unlock(upstream);
    assert_int_equal(upstream->shared->lock, 2);
    assert_int_equal(upstream->shared->amiss, AMISS_NOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(anything_may_be_everywhere),
        TEST(each_byte_may_be_the_same),
        TEST(each_number_may_be_wrong),
        TEST(anything_may_change_at_any_time),
        TEST(a_lock_that_nobody_can_have_is_taken),
        TEST(the_master_does_not_wait_for_ever),
        TEST(who_has_lost_the_lock_frees_no_other),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
