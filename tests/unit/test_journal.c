/*
 * The journal: what is kept, from where it is read, and what its kinds are called.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/journal.h"

static struct journal journal;

static int set_up(void **state)
{
    (void)state;
    memset(&journal, 0, sizeof(journal));
    return 0;
}

/* Entries that can be told apart: wall_ms is ten times what the sequence shall be. */
static void add(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct journal_entry entry = {.sequence = 4711,
                                      .wall_ms = (int64_t)(journal.added + 1) * 10,
                                      .kind = JOURNAL_DEATH,
                                      .text = "killed"};

        journal_add(&journal, &entry);
    }
}

/* From `sequence` on the journal has what is numbered `expected`, or (0) nothing yet. */
static void check_from(uint64_t sequence, uint64_t expected)
{
    const struct journal_entry *entry = journal_from(&journal, sequence);

    if (expected == 0) {
        assert_null(entry);
        return;
    }
    assert_non_null(entry);
    assert_int_equal(entry->sequence, expected);
    assert_int_equal(entry->wall_ms, expected * 10);
    assert_int_equal(entry->kind, JOURNAL_DEATH);
    assert_string_equal(entry->text, "killed");
}

static void begins_empty(void **state)
{
    (void)state;
    check_from(0, 0);
    check_from(1, 0);
    check_from(UINT64_MAX, 0);
}

static void keeps_copies_in_order(void **state)
{
    (void)state;
    add(3);
    assert_int_equal(journal.added, 3);
    check_from(0, 1);
    check_from(1, 1);
    check_from(2, 2);
    check_from(3, 3);
    check_from(4, 0);
    check_from(UINT64_MAX, 0);
}

static void keeps_as_many_as_it_says(void **state)
{
    (void)state;
    add(JOURNAL_ENTRIES);
    check_from(0, 1);
    check_from(JOURNAL_ENTRIES, JOURNAL_ENTRIES);
    check_from(JOURNAL_ENTRIES + 1, 0);
    add(1);
    check_from(0, 2);
    check_from(1, 2);
    check_from(2, 2);
    check_from(3, 3);
    check_from(JOURNAL_ENTRIES + 1, JOURNAL_ENTRIES + 1);
    check_from(JOURNAL_ENTRIES + 2, 0);
}

/* Whoever asks for the one after the last it got sees each entry once, over many rounds. */
static void gives_each_entry_once(void **state)
{
    const struct journal_entry *entry;
    uint64_t last = 0;

    (void)state;
    for (int round = 0; round < 50; round++) {
        unsigned n = 0;

        add(37);
        while ((entry = journal_from(&journal, last + 1)) != NULL) {
            assert_int_equal(entry->sequence, last + 1);
            last = entry->sequence;
            n++;
        }
        assert_int_equal(n, 37);
    }
    assert_int_equal(last, 50 * 37);
}

/* As after an upgrade: the numbers go on where the journal of before ended. */
static void goes_on_at_any_number(void **state)
{
    (void)state;
    journal.added = 1000003;
    add(JOURNAL_ENTRIES + 5);
    check_from(0, 1000003 + 6);
    check_from(1000003 + JOURNAL_ENTRIES + 5, 1000003 + JOURNAL_ENTRIES + 5);
    check_from(1000003 + JOURNAL_ENTRIES + 6, 0);
}

static void names_its_kinds(void **state)
{
    static const char *const names[] = {
        "start",      "upgrade",   "birth",    "ready",         "leaving",        "death", "poison",
        "chaos",      "reload",    "reloaded", "reload-failed", "upgrade-failed", "scale", "pause",
        "crash-loop", "recovered", "order",    "stop",          "upstream"};

    (void)state;
    assert_int_equal(sizeof(names) / sizeof(names[0]), JOURNAL_KINDS);
    for (uint32_t kind = 0; kind < JOURNAL_KINDS; kind++)
        assert_string_equal(journal_kind_name(kind), names[kind]);
    assert_string_equal(journal_kind_name(JOURNAL_KINDS), "?");
    assert_string_equal(journal_kind_name(UINT32_MAX), "?");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(begins_empty, set_up),
        cmocka_unit_test_setup(keeps_copies_in_order, set_up),
        cmocka_unit_test_setup(keeps_as_many_as_it_says, set_up),
        cmocka_unit_test_setup(gives_each_entry_once, set_up),
        cmocka_unit_test_setup(goes_on_at_any_number, set_up),
        cmocka_unit_test(names_its_kinds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
