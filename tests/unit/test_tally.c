/*
 * Tallies on a real scoreboard: of which kind a death is, how often a number
 * was filled again, and how long nobody served for it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/master_state.h"
#include "cluster/role.h"
#include "cluster/tally.h"

#define BY_SIGNAL 9        /* a wait status of SIGKILL */
#define BY_EXIT   (3 << 8) /* ... of exit(3) */

static struct master master;

static int set_up(void **state)
{
    (void)state;
    memset(&master, 0, sizeof(master));
    if (scoreboard_new(4, &master.scoreboard) != 0)
        return -1;
    return tallies_new(master.scoreboard, &master.tallies);
}

static int tear_down(void **state)
{
    (void)state;
    tallies_free(master.tallies);
    tallies_free(NULL);
    scoreboard_free(master.scoreboard);
    return 0;
}

static struct slot make_slot(unsigned number)
{
    return (struct slot){.master = &master, .number = number, .doom_ms = INT64_MAX};
}

static uint64_t count(enum scoreboard_count count)
{
    return scoreboard_read_count(master.scoreboard, count);
}

static struct scoreboard_tally tally_of(unsigned number)
{
    struct scoreboard_tally tally;

    scoreboard_read_tally(master.scoreboard, number, &tally);
    return tally;
}

static uint64_t count_recoveries(uint64_t *ret_sum_us)
{
    uint64_t places[SCOREBOARD_RECOVERY_BOUNDS + 1], n = 0;

    scoreboard_read_recovery(master.scoreboard, places, ret_sum_us);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        n += places[i];
    return n;
}

static void die(const struct slot *slot, uint64_t worker, bool leaves_gap, int64_t now_us)
{
    const struct death death = {
        .worker = worker, .when_ms = now_us / 1000, .wait_status = BY_SIGNAL, .slot = slot->number};

    tally_death(slot, &death, leaves_gap, now_us);
}

static void knows_each_kind_of_death(void **state)
{
    static const struct {
        struct slot slot; /* its flags */
        struct death death;
        enum master_phase phase;
        enum scoreboard_count kind;
    } cases[] = {
        {{.doom_ms = INT64_MAX}, {.wait_status = BY_SIGNAL}, 0, SCOREBOARD_DEATHS_SIGNAL},
        {{.doom_ms = INT64_MAX}, {.wait_status = BY_EXIT}, 0, SCOREBOARD_DEATHS_EXIT},
        {{.doom_ms = INT64_MAX}, {.wait_status = 0}, 0, SCOREBOARD_DEATHS_EXIT},
        {{.doom_ms = INT64_MAX}, {.wait_status = BY_SIGNAL, .oom = true}, 0, SCOREBOARD_DEATHS_OOM},
        {{.doom_ms = INT64_MAX}, {.deliberate = true}, 0, SCOREBOARD_DEATHS_LEFT},
        {{.doom_ms = INT64_MAX},
         {.wait_status = BY_SIGNAL, .oom = true, .deliberate = true},
         0,
         SCOREBOARD_DEATHS_LEFT},
        {{.doom_ms = 1},
         {.wait_status = BY_SIGNAL, .deliberate = true},
         0,
         SCOREBOARD_DEATHS_CHAOS},
        {{.doom_ms = 1},
         {.wait_status = BY_SIGNAL, .deliberate = true, .killed_for = MASTER_HANGS},
         0,
         SCOREBOARD_DEATHS_CHAOS},
        {{.doom_ms = 1}, {.wait_status = BY_SIGNAL}, 0, SCOREBOARD_DEATHS_SIGNAL},
        {{.doom_ms = INT64_MAX},
         {.wait_status = BY_SIGNAL, .killed_for = MASTER_HANGS},
         0,
         SCOREBOARD_DEATHS_HANG},
        {{.doom_ms = INT64_MAX},
         {.wait_status = BY_SIGNAL, .killed_for = "it did not become ready", .oom = true},
         0,
         SCOREBOARD_DEATHS_KILLED},
        {{.doom_ms = INT64_MAX, .retired = true},
         {.wait_status = BY_SIGNAL, .killed_for = MASTER_HANGS},
         0,
         SCOREBOARD_DEATHS_RETIRED},
        {{.doom_ms = INT64_MAX, .recycled = true}, {.oom = true}, 0, SCOREBOARD_DEATHS_RETIRED},
        {{.doom_ms = 1},
         {.deliberate = true},
         MASTER_STOPPING_UNHURRIED,
         SCOREBOARD_DEATHS_RETIRED},
        {{.doom_ms = INT64_MAX},
         {.wait_status = BY_SIGNAL},
         MASTER_STOPPING_FAST,
         SCOREBOARD_DEATHS_RETIRED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slot slot = cases[i].slot;
        uint64_t before = count(cases[i].kind);

        slot.master = &master;
        slot.number = 1;
        master.phase = cases[i].phase;
        if (tally_kind(&slot, &cases[i].death) != cases[i].kind)
            fail_msg("case %zu is %s", i,
                     scoreboard_death_name(tally_kind(&slot, &cases[i].death)));
        tally_death(&slot, &cases[i].death, false, 1);
        assert_int_equal(count(cases[i].kind), before + 1);
        if (cases[i].kind != SCOREBOARD_DEATHS_RETIRED)
            assert_int_equal(tally_of(1).exit_kind, cases[i].kind);
    }
}

static void shows_how_the_last_one_ended(void **state)
{
    struct slot slot = make_slot(2);

    (void)state;
    die(&slot, 7, true, 5000000);
    assert_int_equal(tally_of(2).exit_worker, 7);
    assert_int_equal(tally_of(2).exit_status, BY_SIGNAL);
    assert_int_equal(tally_of(2).exit_ms, 5000);
    assert_int_equal(tally_of(2).respawns, 0);
    assert_int_equal(tally_of(1).exit_worker, 0);
    die(&slot, 8, false, 6000000);
    assert_int_equal(tally_of(2).exit_worker, 8);
}

/* Reloads, restarts, scaling, recycling and the stop end workers all the time. */
static void what_was_planned_hides_no_death(void **state)
{
    struct slot slot = make_slot(1), retired = make_slot(1), recycled = make_slot(1);

    (void)state;
    retired.retired = true;
    recycled.recycled = true;
    die(&retired, 1, false, 1000000);
    assert_int_equal(tally_of(1).exit_worker, 0);
    die(&slot, 2, true, 2000000);
    die(&retired, 3, false, 3000000);
    die(&recycled, 4, false, 4000000);
    master.phase = MASTER_STOPPING;
    die(&slot, 5, false, 5000000);
    assert_int_equal(tally_of(1).exit_worker, 2);
    assert_int_equal(tally_of(1).exit_status, BY_SIGNAL);
    assert_int_equal(tally_of(1).exit_ms, 2000);
    assert_int_equal(tally_of(1).exit_kind, SCOREBOARD_DEATHS_SIGNAL);
    assert_int_equal(count(SCOREBOARD_DEATHS_RETIRED), 4);
    assert_int_equal(count(SCOREBOARD_DEATHS_SIGNAL), 1);
}

/* A fork is a respawn when the number has nobody who serves because somebody died. */
static void counts_who_is_born_for_the_dead(void **state)
{
    struct slot slot = make_slot(3), beside = make_slot(3);
    uint64_t sum_us;

    (void)state;
    tally_birth(&slot);
    assert_false(slot.successor);
    assert_int_equal(count(SCOREBOARD_FORKS), 1);
    assert_int_equal(scoreboard_respawns(master.scoreboard), 0);
    tally_ready(&slot, 1000);
    assert_int_equal(count_recoveries(&sum_us), 0);

    die(&slot, 1, true, 2000);
    beside.candidate = true;
    tally_birth(&beside);
    assert_false(beside.successor);
    tally_birth(&slot);
    assert_true(slot.successor);
    assert_int_equal(count(SCOREBOARD_FORKS), 3);
    assert_int_equal(scoreboard_respawns(master.scoreboard), 1);
    assert_int_equal(tally_of(3).respawns, 1);
    assert_int_equal(tally_of(3).exit_worker, 1);

    tally_ready(&slot, 5500);
    assert_int_equal(count_recoveries(&sum_us), 1);
    assert_int_equal(sum_us, 3500);
    tally_ready(&slot, 9000); /* that was all */
    assert_int_equal(count_recoveries(&sum_us), 1);
    tally_birth(&slot);
    assert_false(slot.successor);
    assert_int_equal(tally_of(3).respawns, 1);
}

/* Of several deaths in a row the first began the time without service. */
static void a_vacancy_begins_with_the_first_death(void **state)
{
    struct slot slot = make_slot(1);
    uint64_t sum_us;

    (void)state;
    die(&slot, 1, true, 1000);
    tally_birth(&slot);
    die(&slot, 2, true, 2000);
    tally_birth(&slot);
    assert_int_equal(tally_of(1).respawns, 2);
    tally_ready(&slot, 11000);
    assert_int_equal(count_recoveries(&sum_us), 1);
    assert_int_equal(sum_us, 10000);
}

static uint64_t respawns(enum scoreboard_count death)
{
    return scoreboard_read_respawns(master.scoreboard, death);
}

/* Each is for the death that it follows, though the vacancy began with another one. */
static void a_respawn_has_the_reason_of_the_death(void **state)
{
    struct slot slot = make_slot(1), hung = make_slot(2), chaotic = make_slot(3);
    const struct death exited = {.worker = 2, .wait_status = BY_EXIT, .slot = 1};

    (void)state;
    die(&slot, 1, true, 1000);
    tally_birth(&slot);
    assert_int_equal(respawns(SCOREBOARD_DEATHS_SIGNAL), 1);
    tally_death(&slot, &exited, true, 2000);
    tally_birth(&slot);
    assert_int_equal(respawns(SCOREBOARD_DEATHS_EXIT), 1);
    tally_vacate(&hung, 3000);
    tally_birth(&hung);
    assert_int_equal(respawns(SCOREBOARD_DEATHS_HANG), 1);
    chaotic.doom_ms = 3;
    tally_vacate(&chaotic, 3000);
    tally_birth(&chaotic);
    assert_int_equal(respawns(SCOREBOARD_DEATHS_CHAOS), 1);
    assert_int_equal(scoreboard_respawns(master.scoreboard), 4);
}

static void no_gap_is_no_vacancy(void **state)
{
    struct slot slot = make_slot(1);
    uint64_t sum_us;

    (void)state;
    die(&slot, 1, false, 1000);
    tally_birth(&slot);
    assert_false(slot.successor);
    tally_ready(&slot, 2000);
    assert_int_equal(count_recoveries(&sum_us), 0);
    assert_int_equal(scoreboard_respawns(master.scoreboard), 0);
}

/* The histogram is of workers: clients do not wait for the admin child. */
static void other_roles_have_tallies_as_well(void **state)
{
    struct slot slot = make_slot(role_number(ROLE_HERALD));
    uint64_t sum_us;

    (void)state;
    assert_int_equal(slot.number, ROLE_NUMBERS);
    die(&slot, 5, true, 1000);
    tally_birth(&slot);
    tally_ready(&slot, 4000);
    assert_int_equal(tally_of(slot.number).respawns, 1);
    assert_int_equal(tally_of(slot.number).exit_worker, 5);
    tally_birth(&slot); /* it served, so this one is for nobody */
    assert_false(slot.successor);
    assert_int_equal(count_recoveries(&sum_us), 0);
    assert_int_equal(tally_of(1024).respawns, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_each_kind_of_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_how_the_last_one_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_planned_hides_no_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_who_is_born_for_the_dead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_vacancy_begins_with_the_first_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_respawn_has_the_reason_of_the_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_gap_is_no_vacancy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_roles_have_tallies_as_well, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
