/*
 * The balancer with many processes, which are killed or stopped wherever they
 * are: nobody waits for ever, and all connections are given back.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "balancer_fixture.h"
#include "proxy/balancer_state.h"

#define WORKERS    3 /* in places from 0 on; then the victims */
#define VICTIMS    2
#define PLACES     (WORKERS + VICTIMS)
#define ROUNDS     100000
#define HELD       8
#define KILLS      100 /* at least */
#define DEADLINE_S 120

static struct balancer *balancer;
static struct balancer_upstream *upstream;
static bool is_dead[PLACES]; /* and not buried */

static int set_up(void **state)
{
    (void)state;
    alarm(DEADLINE_S);
    memset(is_dead, 0, sizeof(is_dead));
    return balancer_new(PLACES, &balancer);
}

static int tear_down(void **state)
{
    (void)state;
    balancer_free(balancer);
    alarm(0);
    return 0;
}

/* Somebody may be held up with the lock for longer than others wait. */
static bool choose(unsigned place, int64_t now_ms, struct balancer_pick *ret_pick)
{
    struct peer_set tried = {{0}};
    int err;

    do
        err = balancer_choose(upstream, place, &tried, NULL, now_ms, ret_pick);
    while (err == -EAGAIN);
    return err == 0;
}

/* A connection is begun and one is ended, as long as `rounds` are left; then none is held. */
static void work(unsigned place, unsigned long rounds)
{
    struct balancer_pick held[HELD] = {{.incarnation = 0}};
    bool is_held[HELD] = {false};

    for (unsigned long i = 0; i < rounds + HELD; i++) {
        struct balancer_pick *pick = &held[i % HELD];
        enum balancer_outcome outcome = i % 97 == 0 ? BALANCER_FAILED : BALANCER_OK;

        if (is_held[i % HELD])
            balancer_done(upstream, place, pick, outcome, 1000, 1000);
        is_held[i % HELD] = i < rounds && choose(place, 1000, pick);
    }
}

static pid_t start(unsigned place, unsigned long rounds)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(DEADLINE_S);
        balancer_as(balancer, place);
        work(place, rounds);
        _exit(0);
    }
    return pid;
}

static void kill_one(pid_t pid, unsigned place)
{
    int status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    is_dead[place] = true;
}

static void bury(unsigned place)
{
    while (!balancer_bury(balancer, place))
        ;
    is_dead[place] = false;
}

/* The dead may have the lock, and the living, for a moment. */
static void lock_for_sure(void)
{
    for (unsigned place = 0;; place = (place + 1) % PLACES)
        if (balancer_lock_of(upstream, is_dead[place] ? place + 1 : 0) == 0)
            return;
}

/* Returns all connections, and sees that those of each peer are the sum of its cells. */
static unsigned assert_sums(void)
{
    struct shared_upstream *shared = upstream->shared;
    unsigned total = 0;

    lock_for_sure();
    for (unsigned i = 0; i < BALANCER_PEERS; i++) {
        unsigned sum = 0;

        for (unsigned place = 0; place < PLACES; place++)
            sum += *balancer_cell(upstream, place, i);
        assert_int_equal(shared->peers[i].connections, sum);
        total += sum;
    }
    balancer_unlock(upstream);
    return total;
}

/* Returns how many of the workers are through. */
static unsigned reap(void)
{
    unsigned n = 0;
    int status;

    while (waitpid(0, &status, WNOHANG) > 0) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        n++;
    }
    return n;
}

/* Failures are counted, and take nobody out. */
static void apply_tolerant(const char *servers)
{
    struct conf conf = {.n_upstreams = 0};

    fixture_add(&conf, "u", CONF_BALANCE_LEAST_CONN, servers);
    for (size_t i = 0; i < conf.upstreams[0].n_servers; i++)
        conf.upstreams[0].servers[i].max_fails = 0;
    assert_int_equal(balancer_apply(balancer, &conf, 0), 0);
    fixture_clear(&conf);
    upstream = balancer_find(balancer, "u");
    assert_non_null(upstream);
}

static void the_killed_leave_nothing_behind(void **state)
{
    pid_t victims[VICTIMS];
    unsigned n_done = 0, kills = 0;
    uint64_t requests = 0;

    (void)state;
    apply_tolerant("127.0.0.1:1*3 127.0.0.1:2 127.0.0.1:3 127.0.0.1:4!");
    for (unsigned i = 0; i < VICTIMS; i++)
        victims[i] = start(WORKERS + i, ULONG_MAX - HELD);
    for (unsigned i = 0; i < WORKERS; i++)
        (void)start(i, ROUNDS);
    while (n_done < WORKERS || kills < KILLS || balancer_repairs(upstream) == 0) {
        unsigned i = kills++ % VICTIMS;

        usleep(500);
        kill_one(victims[i], WORKERS + i);
        bury(WORKERS + i);
        victims[i] = start(WORKERS + i, ULONG_MAX - HELD);
        n_done += reap();
    }
    for (unsigned i = 0; i < VICTIMS; i++)
        kill_one(victims[i], WORKERS + i);
    assert_in_range(assert_sums(), 0, VICTIMS * HELD);
    for (unsigned i = 0; i < VICTIMS; i++)
        bury(WORKERS + i);
    assert_int_equal(assert_sums(), 0);
    for (unsigned i = 0; i < BALANCER_PEERS; i++)
        requests += upstream->shared->peers[i].requests;
    print_message("# %u killed, %u of them with the lock; %llu choices\n", kills + VICTIMS,
                  (unsigned)balancer_repairs(upstream), (unsigned long long)requests);
    assert_true(requests >= (uint64_t)WORKERS * ROUNDS);
}

/* The herald is killed, too, and what it was at is whole or not there. */
static void change_for_ever(void)
{
    for (unsigned i = 0;; i++)
        (void)fixture_resolve(upstream, "app:80",
                              i % 2 == 0 ? "10.0.0.1:80 10.0.0.2:80 10.0.0.3:80"
                                         : "10.0.0.2:80 10.0.0.4:80",
                              (int64_t)i);
}

static pid_t start_herald(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(DEADLINE_S);
        balancer_as(balancer, WORKERS + 1);
        change_for_ever();
    }
    return pid;
}

static void members_are_whole_wherever_the_herald_dies(void **state)
{
    struct balancer_view views[BALANCER_PEERS];
    unsigned kills = 0;
    pid_t worker;

    (void)state;
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "app:80", 0);
    assert_int_equal(fixture_resolve(upstream, "app:80", "10.0.0.2:80 10.0.0.4:80", 0), 0);
    worker = start(WORKERS, ULONG_MAX - HELD);
    while (kills < 20 || balancer_repairs(upstream) == 0) {
        pid_t herald = start_herald();
        size_t n;

        usleep(1000);
        kill_one(herald, WORKERS + 1);
        kills++;
        assert_in_range(assert_sums(), 0, HELD);
        bury(WORKERS + 1);
        n = balancer_list(upstream, 0, views, BALANCER_PEERS);
        assert_in_range(n, 2, 3);
        assert_string_equal(views[0].name, n == 3 ? "10.0.0.1:80" : "10.0.0.2:80");
        assert_string_equal(views[1].name, n == 3 ? "10.0.0.2:80" : "10.0.0.4:80");
    }
    kill_one(worker, WORKERS);
    bury(WORKERS);
    assert_int_equal(assert_sums(), 0);
}

/* Returns a child that has the lock. */
static pid_t start_holder(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct balancer_pick pick;
        struct peer_set tried = {{0}};

        alarm(DEADLINE_S);
        balancer_as(balancer, 2);
        if (balancer_choose(upstream, 2, &tried, NULL, 0, &pick) != 0 ||
            balancer_lock(upstream) != 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(close(ends[0]), 0);
    return pid;
}

static void nobody_waits_for_who_is_stopped_with_the_lock(void **state)
{
    struct balancer_pick first, second, third;
    struct peer_set tried = {{0}};
    struct balancer_view view;
    pid_t holder;

    (void)state;
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1", 0);
    assert_int_equal(balancer_choose(upstream, 0, &tried, NULL, 0, &first), 0);
    tried = (struct peer_set){{0}};
    assert_int_equal(balancer_choose(upstream, 1, &tried, NULL, 0, &second), 0);
    holder = start_holder();
    assert_false(balancer_bury(balancer, 1));
    balancer_as(balancer, 0);
    tried = (struct peer_set){{0}};
    assert_int_equal(balancer_choose(upstream, 0, &tried, NULL, 0, &third), -EAGAIN);
    assert_false(peer_set_has(&tried, 0));
    assert_int_equal(balancer_set_drained(upstream, "127.0.0.1:1", true, 0), -EAGAIN);
    assert_int_equal(balancer_set_health(upstream, 0, first.incarnation, false, 0), -EAGAIN);
    assert_int_equal(balancer_resolve(upstream, "127.0.0.1:1", NULL, 0, 0), -EAGAIN);
    assert_int_equal(balancer_list(upstream, 0, &view, 1), 1);
    assert_int_equal(view.connections, 3);
    balancer_done(upstream, 0, &first, BALANCER_OK, 0, -1);
    kill_one(holder, 2);
    assert_int_equal(balancer_choose(upstream, 0, &tried, NULL, 0, &third), -EAGAIN);
    balancer->number = NUMBER_OF_MASTER;
    assert_true(balancer_bury(balancer, 2));
    assert_int_equal(balancer_repairs(upstream), 1);
    assert_int_equal(assert_sums(), 1);
    balancer_done(upstream, 1, &second, BALANCER_OK, 0, -1);
    assert_int_equal(assert_sums(), 0);
}

/* As above, but its holder lives: the sums are made anew by who has the lock next. */
static void what_was_given_back_without_the_lock_is_counted(void **state)
{
    struct balancer_pick pick;
    struct peer_set tried = {{0}};
    pid_t child;
    int status;

    (void)state;
    upstream = fixture_apply(balancer, CONF_BALANCE_ROUND_ROBIN, "127.0.0.1:1", 0);
    assert_int_equal(balancer_choose(upstream, 0, &tried, NULL, 0, &pick), 0);
    assert_int_equal(balancer_lock(upstream), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        balancer_as(balancer, 0);
        balancer_done(upstream, 0, &pick, BALANCER_FAILED, 0, -1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(upstream->shared->peers[pick.peer].connections, 1);
    balancer_unlock(upstream);
    assert_int_equal(assert_sums(), 0);
    assert_int_equal(balancer_repairs(upstream), 0);
    assert_int_equal(upstream->shared->peers[pick.peer].failures, 0);
    assert_true(balancer_bury(balancer, 0));
    assert_int_equal(assert_sums(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_killed_leave_nothing_behind),
        TEST(members_are_whole_wherever_the_herald_dies),
        TEST(nobody_waits_for_who_is_stopped_with_the_lock),
        TEST(what_was_given_back_without_the_lock_is_counted),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
