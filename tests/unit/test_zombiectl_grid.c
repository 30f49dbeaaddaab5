/*
 * The table: widths of columns, what gives where room is short, what is cut.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "zombiectl/grid.h"

#define N_COLUMNS 4

static const struct grid_column columns[N_COLUMNS] = {
    {"ID", true, 0, 0, false},
    {"NAME", false, 0, 0, false},
    {"CAUSE", false, 2, 5, false},
    {"PATH", false, 1, 6, false},
};

static const char *const cells[] = {
    "1",  "one",          "killed", "/a/long/path", /* the longest of each column */
    "22", "second",       "-",      "",
    "3",  "\xed\x95\x9c", "",       "/\033[2J",
};

/* What the table looks like in that width. */
static void check(size_t width, bool colour, const char *expected)
{
    struct bytes out = {0};
    struct canvas canvas = {.out = &out, .width = width, .colour = colour};
    struct grid *grid;

    assert_int_equal(grid_new(columns, N_COLUMNS, &grid), 0);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        grid_add(grid, i == 1 ? PAINT_GOOD : PAINT_NONE, cells[i]);
    grid_draw(grid, &canvas);
    assert_false(out.failed);
    assert_string_equal(out.at, expected);
    grid_free(grid);
    bytes_free(&out);
}

static void is_as_wide_as_its_cells(void **state)
{
    const char *whole = "ID  NAME    CAUSE   PATH\n"
                        " 1  one     killed  /a/long/path\n"
                        "22  second  -\n"
                        " 3  \xed\x95\x9c              /\\x1b[2J\n";

    (void)state;
    check(0, false, whole);
    check(32, false, whole);
    check(1000, false, whole);
}

static void gives_way_from_the_gaps_to_the_first_column(void **state)
{
    (void)state;
    check(31, false,
          "ID NAME   CAUSE  PATH\n"
          " 1 one    killed /a/long/path\n"
          "22 second -\n"
          " 3 \xed\x95\x9c            /\\x1b[2J\n");
    check(25, false,
          "ID NAME   CAUSE  PATH\n"
          " 1 one    killed /a/lo...\n"
          "22 second -\n"
          " 3 \xed\x95\x9c            /\\x1b[2J\n");
    check(23, false,
          "ID NAME   CAUSE  PATH\n" /* too narrow for the mark of a cut */
          " 1 one    killed /a/lon\n"
          "22 second -\n"
          " 3 \xed\x95\x9c            /\\x1b[\n");
    check(22, false,
          "ID NAME   CAUSE\n"
          " 1 one    killed\n"
          "22 second -\n"
          " 3 \xed\x95\x9c\n");
    check(15, false,
          "ID NAME   CAUSE\n"
          " 1 one    kille\n"
          "22 second -\n"
          " 3 \xed\x95\x9c\n");
    check(14, false,
          "ID NAME\n"
          " 1 one\n"
          "22 second\n"
          " 3 \xed\x95\x9c\n");
    check(4, false,
          "ID N\n"
          " 1 o\n"
          "22 s\n"
          " 3\x20\n"); /* half a wide character is none */
    check(1, false, "I\n \n2\n \n");
}

static void paints(void **state)
{
    (void)state;
    check(14, true,
          "\033[1mID\033[0m \033[1mNAME\033[0m\n"
          " 1 \033[32mone\033[0m\n"
          "22 second\n"
          " 3 \xed\x95\x9c\n");
}

static void yields_in_turn_and_hangs(void **state)
{
    static const struct grid_column some[] = {
        {"ID", true, 0, 0, false},
        {"N", true, 2, 0, false},
        {"CAUSE", false, 3, 3, false},
        {"WHAT", false, 1, 0, true},
    };
    static const char *const texts[] = {"1", "10", "killed", "a long text", "2", "9", "-", ""};
    static const struct {
        size_t width;
        const char *expected;
    } rows[] = {
        {24, "ID  N CAUSE  WHAT\n 1 10 killed a long text\n 2  9 -\n"},
        {23, "ID  N CAUSE\n 1 10 killed\n   WHAT a long text\n 2  9 -\n"},
        {15, "ID  N CAUSE\n 1 10 killed\n   WHAT a lo...\n 2  9 -\n"},
        {12, "ID  N CAUSE\n 1 10 killed\n   WHAT a lo\n 2  9 -\n"},
        {11, "ID CAUSE\n 1 killed\n   WHAT a l\n 2 -\n"},
        {7, "ID CAUS\n 1 kill\n   WHAT\n 2 -\n"},
        {5, "ID\n 1\n   WH\n 2\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        struct canvas canvas = {.out = &out, .width = rows[i].width};
        struct grid *grid;

        assert_int_equal(grid_new(some, 4, &grid), 0);
        for (size_t at = 0; at < sizeof(texts) / sizeof(texts[0]); at++)
            grid_add(grid, PAINT_NONE, texts[at]);
        assert_int_equal(grid_width(grid), 12);
        grid_draw(grid, &canvas);
        assert_string_equal(out.at, rows[i].expected);
        grid_free(grid);
        bytes_free(&out);
    }
}

static void leaves_out_a_row_that_is_not_complete(void **state)
{
    struct bytes out = {0};
    struct canvas canvas = {.out = &out};
    struct grid *grid;

    (void)state;
    assert_int_equal(grid_new(columns, N_COLUMNS, &grid), 0);
    grid_add(grid, PAINT_NONE, "1");
    grid_draw(grid, &canvas);
    assert_string_equal(out.at, "ID  NAME  CAUSE  PATH\n");
    grid_free(grid);
    bytes_free(&out);
    grid_free(NULL);
}

static void a_canvas_ends_where_the_terminal_does(void **state)
{
    struct bytes out = {0};
    struct canvas canvas = {.out = &out, .width = 6, .colour = true};

    (void)state;
    canvas_put(&canvas, PAINT_NONE, "abc");
    canvas_move(&canvas, 4);
    canvas_print(&canvas, PAINT_BAD, "%d", 123);
    canvas_put(&canvas, PAINT_GOOD, "x");
    canvas_move(&canvas, 10);
    canvas_end_line(&canvas);
    canvas_put(&canvas, PAINT_NONE, "abcde\xed\x95\x9c");
    canvas_put(&canvas, PAINT_NONE, "f");
    canvas_end_line(&canvas);
    assert_string_equal(out.at, "abc \033[31m12\033[0m\nabcde\n");
    bytes_free(&out);
}

static void a_text_flows_from_line_to_line(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        const char *expected;
    } rows[] = {
        {" and more", 0, "head, and more\n"},
        {" and more", 15, "head, and more\n"},
        {" and more", 14, "head,\n  and more\n"}, /* the last column stays free */
        {" and more", 11, "head, and\n  more\n"},
        {" and  more", 9, "head,\n  and \n  more\n"},
        {" abcdefghij", 7, "head,\n  abcd\n  efgh\n  ij\n"},
        {"x y", 6, "head,\n  x y\n"},
        {"", 6, "head,\n"},
        {" abc", 3, "hea\n  \n"},
        {" \xed\x95\x9c", 4, "head\n  \n"},
        {" abc", 1, "h\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out = {0};
        struct canvas canvas = {.out = &out, .width = rows[i].width};

        canvas_put(&canvas, PAINT_NONE, "head,");
        canvas_flow(&canvas, PAINT_NONE, rows[i].text);
        canvas_end_line(&canvas);
        assert_string_equal(out.at, rows[i].expected);
        bytes_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_wide_as_its_cells),
        cmocka_unit_test(gives_way_from_the_gaps_to_the_first_column),
        cmocka_unit_test(paints),
        cmocka_unit_test(yields_in_turn_and_hangs),
        cmocka_unit_test(leaves_out_a_row_that_is_not_complete),
        cmocka_unit_test(a_canvas_ends_where_the_terminal_does),
        cmocka_unit_test(a_text_flows_from_line_to_line),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
