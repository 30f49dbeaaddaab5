/*
 * The table of the Distributor: order, updates, limits, and the list that it makes.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "discovery/driver.h"
#include "discovery/registries/frame.h"
#include "distributor/snapshot.h"
#include "distributor/table.h"

#define MAX 3

static struct table table;
static struct snapshots snapshots;
static struct node nodes[MAX + 1];

static int set_up(void **state)
{
    (void)state;
    table_init(&table, MAX);
    snapshots_init(&snapshots);
    memset(nodes, 0, sizeof nodes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i <= MAX; i++)
        table_remove(&table, &nodes[i]);
    return table.n == 0 && table.bytes == 0 && snapshots.n == 0 && snapshots.bytes == 0 ? 0 : -1;
}

static int put(size_t node, const char *text)
{
    return table_put(&table, &nodes[node], text, strlen(text), 1000 + (int64_t)node);
}

static void expect_list(const char *list)
{
    struct bytes out = {.at = NULL};

    table_write(&table, &out);
    assert_string_equal(out.at, list);
    bytes_free(&out);
}

/* Each step: a node and what it says, NULL: it goes; what comes back; the list and version then. */
static void keeps_the_order_of_registration(void **state)
{
    static const struct {
        size_t node;
        const char *text;
        int result;
        const char *list;
        uint64_t version;
    } steps[] = {
        {0, NULL, 0, "[", 0},           {1, "b", 1, "[b", 1},       {0, "a", 1, "[b,a", 2},
        {1, "b", 0, "[b,a", 2},         {1, "bb", 1, "[bb,a", 3},   {2, "", 1, "[bb,a,", 4},
        {3, "d", -ENOSPC, "[bb,a,", 4}, {0, "aa", 1, "[bb,aa,", 5}, {1, NULL, 0, "[aa,", 6},
        {1, NULL, 0, "[aa,", 6},        {3, "d", 1, "[aa,,d", 7},   {2, NULL, 0, "[aa,d", 8},
        {1, "b", 1, "[aa,d,b", 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].text == NULL)
            table_remove(&table, &nodes[steps[i].node]);
        else
            assert_int_equal(put(steps[i].node, steps[i].text), steps[i].result);
        expect_list(steps[i].list);
        assert_int_equal(table.version, steps[i].version);
    }
    assert_int_equal(table.n, 3);
    assert_int_equal(table.bytes, strlen("[aa,d,b"));
}

static void keeps_the_time_of_registration(void **state)
{
    (void)state;
    assert_int_equal(put(1, "a"), 1);
    assert_int_equal(table_put(&table, &nodes[1], "b", 1, 5000), 1);
    assert_int_equal(nodes[1].since_ms, 1001);
    table_remove(&table, &nodes[1]);
    assert_int_equal(table_put(&table, &nodes[1], "b", 1, 6000), 1);
    assert_int_equal(nodes[1].since_ms, 6000);
}

#define MANY 10000

static const char text_of_zeros[TABLE_NODE_MAX + 1];
static struct node many[MANY];

/* Register that many nodes of len bytes each in a table of their own. */
static void fill(size_t n, size_t len)
{
    table_init(&table, MANY);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(table_put(&table, &many[i], text_of_zeros, len, 0), 1);
}

static void empty_it(void)
{
    for (size_t i = 0; i < MANY; i++)
        table_remove(&table, &many[i]);
}

static void stays_within_its_bytes(void **state)
{
    size_t n = TABLE_BYTES_MAX / (TABLE_NODE_MAX + 1);
    struct node *last = &many[n], *none = &many[n + 1];
    struct bytes list = {.at = NULL};

    (void)state;
    fill(n, TABLE_NODE_MAX);
    size_t rest = TABLE_BYTES_MAX - table.bytes - 1;
    assert_int_equal(table_put(&table, last, text_of_zeros, rest + 1, 0), -EFBIG);
    assert_int_equal(table_put(&table, last, text_of_zeros, rest, 0), 1);
    assert_int_equal(table_put(&table, none, "", 0, 0), -EFBIG);
    assert_int_equal(table_put(&table, last, text_of_zeros, rest - 1, 0), 1); /* in its place */
    assert_int_equal(table_put(&table, none, "", 0, 0), 1);
    table_write(&table, &list);
    assert_int_equal(list.len, TABLE_BYTES_MAX);
    bytes_free(&list);
    empty_it();
}

static void takes_no_node_that_is_too_long(void **state)
{
    (void)state;
    assert_int_equal(table_put(&table, &nodes[0], text_of_zeros, TABLE_NODE_MAX + 1, 0), -E2BIG);
    assert_int_equal(table_put(&table, &nodes[0], text_of_zeros, TABLE_NODE_MAX, 0), 1);
    assert_int_equal(table_put(&table, &nodes[0], text_of_zeros, TABLE_NODE_MAX + 1, 0), -E2BIG);
    assert_int_equal(nodes[0].len, TABLE_NODE_MAX);
}

/* The frame as a whole, which its readers bound. */
static void makes_no_list_that_nobody_reads(void **state)
{
    struct snapshot *snapshot;

    (void)state;
    fill(TABLE_BYTES_MAX / (TABLE_NODE_MAX + 1), TABLE_NODE_MAX);
    assert_int_equal(snapshot_new(&snapshots, &table, &snapshot), 0);
    assert_true(snapshot->len <= DRIVER_ANSWER_MAX);
    snapshot_release(snapshot);
    empty_it();
}

static void has_room_for_many_ordinary_nodes(void **state)
{
    (void)state;
    fill(MANY, 67);
    assert_int_equal(table.n, MANY);
    empty_it();
}

static void makes_a_frame_for_the_kernel(void **state)
{
    static const char frame[] = "{\"uri\":\"/distributes\",\"method\":\"GET\",\"key\":0,\"params\":"
                                "[{\"a\":1},{\"b\":2}]}" FRAME_END;
    char bytes[sizeof frame];
    struct snapshot *snapshot;

    (void)state;
    assert_int_equal(put(0, "{\"a\":1}"), 1);
    assert_int_equal(put(1, "{\"b\":2}"), 1);
    assert_int_equal(snapshot_new(&snapshots, &table, &snapshot), 0);
    assert_int_equal(snapshot->len, sizeof frame - 1);
    assert_int_equal(snapshot->version, 2);
    assert_int_equal(snapshot->n, 2);
    assert_int_equal(pread(snapshot->fd, bytes, sizeof bytes, 0), sizeof frame - 1);
    assert_memory_equal(bytes, frame, sizeof frame - 1);
    assert_int_equal(bytes[snapshot->list_at], '[');
    assert_ptr_equal(snapshot_hold(snapshot), snapshot);
    snapshot_release(snapshot);
    assert_int_equal(pread(snapshot->fd, bytes, 1, 0), 1);
    snapshot_release(snapshot);
    snapshot_release(NULL);
}

static void counts_the_snapshots_that_are_held(void **state)
{
    struct snapshot *old, *newest;

    (void)state;
    assert_int_equal(put(0, "{}"), 1);
    assert_int_equal(snapshot_new(&snapshots, &table, &old), 0);
    assert_int_equal(put(0, "{\"a\":1}"), 1);
    assert_int_equal(snapshot_new(&snapshots, &table, &newest), 0);
    assert_int_equal(snapshots.n, 2);
    assert_int_equal(snapshots.bytes, old->len + newest->len);
    assert_ptr_equal(TAILQ_FIRST(&snapshots.all), old);
    snapshot_release(snapshot_hold(old));
    assert_int_equal(snapshots.n, 2);
    snapshot_release(old);
    assert_int_equal(snapshots.n, 1);
    assert_int_equal(snapshots.bytes, newest->len);
    snapshot_release(newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_the_order_of_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_time_of_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_within_its_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_node_that_is_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_no_list_that_nobody_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_room_for_many_ordinary_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_a_frame_for_the_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_the_snapshots_that_are_held, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
