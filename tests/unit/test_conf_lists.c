/*
 * Options that are lists, and sizes that may be a word: what is read, printed
 * and refused.
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

#include <cmocka.h>

#include "conf/list.h"
#include "conf/value.h"

#define ITEMS_MAX 4

struct list_row {
    const char *items[ITEMS_MAX];
    const char *printed; /* NULL: refused */
    const char *why;
};

static size_t count(const char *const *items)
{
    size_t n = 0;

    while (n < ITEMS_MAX && items[n] != NULL)
        n++;
    return n;
}

/* The field holds a list before, which a refusal leaves alone. */
static void check_list(const struct conf_option *option, const struct list_row *row)
{
    struct conf_list texts = {(char **)row->items, count(row->items)};
    struct conf_list field = {NULL, 0};
    char why[CONF_WHY_SIZE] = "", *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    assert_int_equal(conf_list_add(&field, "before", 6), 0);
    if (conf_value_read(option, &texts, NULL, &field, why) != (row->printed != NULL ? 0 : -EINVAL))
        fail_msg("'%s': %s", row->items[0], why);
    conf_value_print(option, &field, out);
    (void)fclose(out);
    assert_string_equal(printed, row->printed != NULL ? row->printed : "{ \"before\" }");
    assert_string_equal(why, row->printed != NULL ? "" : row->why);
    free(printed);
    conf_list_clear(&field);
}

#define CHECK_LISTS(option, rows)                                                         \
    for (size_t row_index = 0; row_index < sizeof(rows) / sizeof((rows)[0]); row_index++) \
    check_list(&(option), &(rows)[row_index])

static void reads_texts(void **state)
{
    static const struct conf_option option = {.type = CONF_TEXTS, .min = 1, .max = 5};
    static const struct list_row rows[] = {
        {{NULL}, "{}", NULL},
        {{""}, "{}", NULL}, /* as on the command line and in `fallback` */
        {{" \t"}, "{}", NULL},
        {{"a"}, "{ \"a\" }", NULL},
        {{"a", "b c", "a"}, "{ \"a\", \"b c\", \"a\" }", NULL},
        {{"12345"}, "{ \"12345\" }", NULL},
        {{"\"\\\n${"}, "{ \"\\\"\\\\\\x0a\\${\" }", NULL},
        {{"123456"}, NULL, "'123456' has 6 bytes, it must have 1 to 5"},
        {{"a", ""}, NULL, "'' has 0 bytes, it must have 1 to 5"},
        {{"", "a"}, NULL, "'' has 0 bytes, it must have 1 to 5"},
        {{"a", "b", "1234567"}, NULL, "'1234567' has 7 bytes, it must have 1 to 5"},
    };

    (void)state;
    assert_true(conf_type_is_list(CONF_TEXTS));
    CHECK_LISTS(option, rows);
}

#define NO_FIELD(text)                                                           \
    {                                                                            \
        {text}, NULL, "'" text "' is not a header field such as \"Name: value\"" \
    }

#define OURS(name, rest)                                                \
    {                                                                   \
        {name rest}, NULL, "the field '" name "' is made by the server" \
    }

static void reads_header_fields(void **state)
{
    static const struct conf_option option = {.type = CONF_FIELDS, .min = 3, .max = 40};
    static const struct list_row rows[] = {
        {{NULL}, "{}", NULL},
        {{"A:b"}, "{ \"A:b\" }", NULL},
        {{"X-A: b", "X-A: c"}, "{ \"X-A: b\", \"X-A: c\" }", NULL},
        {{"!#$%&'*+-.^_`|~09azAZ: x"}, "{ \"!#$%&'*+-.^_`|~09azAZ: x\" }", NULL},
        {{"A: b:c\td \xc3\xa9"}, "{ \"A: b:c\\x09d \xc3\xa9\" }", NULL},
        {{"Dates: x", "Connections: x"}, "{ \"Dates: x\", \"Connections: x\" }", NULL},
        NO_FIELD("A"),
        NO_FIELD(": b"),
        NO_FIELD("A : b"),
        NO_FIELD(" A: b"),
        NO_FIELD("A b: c"),
        NO_FIELD("\xc3\xa9: c"),
        {{"A: b\r\nB: c"}, NULL, "the field 'A' has control characters"},
        {{"A: b\n"}, NULL, "the field 'A' has control characters"},
        {{"Abc: \x7f"}, NULL, "the field 'Abc' has control characters"},
        OURS("Connection", ": close"),
        OURS("content-length", ": 1"),
        OURS("DATE", ": now"),
        OURS("Transfer-Encoding", ":chunked"),
        {{"A:"}, NULL, "'A:' has 2 bytes, it must have 3 to 40"},
        {{"A: 45678901234567890123456789012345678901"},
         NULL,
         "'A: 45678901234567890123456789012345678901' has 41 bytes, it must have 3 to 40"},
    };

    (void)state;
    assert_true(conf_type_is_list(CONF_FIELDS));
    CHECK_LISTS(option, rows);
}

static void reads_a_size_or_a_word(void **state)
{
    static const char *const words[] = {"inherit", NULL};
    static const struct conf_option option = {.type = CONF_SIZE, .max = 1L << 30, .choices = words};
    static const struct {
        const char *text;
        long value; /* -2: refused */
        const char *printed;
    } rows[] = {
        {"inherit", -1, "\"inherit\""},
        {"0", 0, "\"0\""},
        {"64k", 65536, "\"64K\""},
        {"1G", 1L << 30, "\"1G\""},
        {"INHERIT", -2, ""},
        {"inherited", -2, ""},
        {"-1", -2, ""},
        {"", -2, ""},
        {"1025M", -2, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *item = (char *)rows[i].text, why[CONF_WHY_SIZE], *printed = NULL;
        struct conf_list texts = {&item, 1};
        long value = -2;
        size_t size;
        FILE *out;

        assert_int_equal(conf_value_read(&option, &texts, NULL, &value, why),
                         rows[i].value == -2 ? -EINVAL : 0);
        assert_int_equal(value, rows[i].value);
        if (value == -2)
            continue;
        out = open_memstream(&printed, &size);
        assert_non_null(out);
        conf_value_print(&option, &value, out);
        (void)fclose(out);
        assert_string_equal(printed, rows[i].printed);
        free(printed);
    }
}

static void knows_what_is_no_list(void **state)
{
    (void)state;
    assert_true(conf_type_is_list(CONF_NETWORKS));
    assert_true(conf_type_is_list(CONF_WORDS));
    assert_false(conf_type_is_list(CONF_SPAN));
    assert_false(conf_type_is_list(CONF_BOOL));
    assert_false(conf_type_is_list(CONF_TEXT));
    assert_false(conf_type_is_list(CONF_SECRET));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_texts),
        cmocka_unit_test(reads_header_fields),
        cmocka_unit_test(reads_a_size_or_a_word),
        cmocka_unit_test(knows_what_is_no_list),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
