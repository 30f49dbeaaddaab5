/*
 * Lists of texts, as a value of the configuration has them.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/list.h"

/* The items with a '|' behind each. */
static const char *joined(const struct conf_list *list)
{
    static char text[256];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s|", list->items[i]);
    return text;
}

static void splits(void **state)
{
    static const struct {
        const char *text, *words, *texts;
    } rows[] = {
        {"", "", ""},
        {" \t ", "", ""},
        {",,, ,\r\n", "", ""},
        {"a", "a|", "a|"},
        {"  a\t", "a|", "a|"},
        {"a,b", "a|b|", "a|b|"},
        {"a , b", "a|b|", "a|b|"},
        {"a b", "a|b|", "a b|"},
        {" a  b ,\tc d\t", "a|b|c|d|", "a  b|c d|"},
        {"a\nb\r\nc", "a|b|c|", "a|b|c|"},
        {"a\n  b c  \n", "a|b|c|", "a|b c|"},
        {",a,,b, ,", "a|b|", "a|b|"},
        {"a, \n ,b", "a|b|", "a|b|"},
        {"a\rb", "a|b|", "a|b|"},
        {"X-A: 1, X-B: 2", "X-A:|1|X-B:|2|", "X-A: 1|X-B: 2|"},
        {"\xc3\xa4 \xc3\xb6", "\xc3\xa4|\xc3\xb6|", "\xc3\xa4 \xc3\xb6|"},
        {"a;b", "a;b|", "a;b|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf_list words = {NULL, 0}, texts = {NULL, 0};
        assert_int_equal(conf_list_split(&words, rows[i].text, CONF_LIST_WORDS), 0);
        assert_string_equal(joined(&words), rows[i].words);
        assert_int_equal(conf_list_split(&texts, rows[i].text, CONF_LIST_TEXTS), 0);
        assert_string_equal(joined(&texts), rows[i].texts);
        conf_list_clear(&words);
        conf_list_clear(&texts);
    }
}

static void splitting_adds_to_what_is_there(void **state)
{
    struct conf_list list = {NULL, 0};

    (void)state;
    assert_int_equal(conf_list_add(&list, "first one", 5), 0);
    assert_int_equal(conf_list_split(&list, "b,c", CONF_LIST_WORDS), 0);
    assert_int_equal(conf_list_add(&list, "", 0), 0);
    assert_string_equal(joined(&list), "first|b|c||");
    conf_list_clear(&list);
}

static void a_cleared_list_is_empty(void **state)
{
    struct conf_list list = {NULL, 0};

    (void)state;
    conf_list_clear(&list);
    assert_int_equal(conf_list_add(&list, "a", 1), 0);
    conf_list_clear(&list);
    assert_null(list.items);
    assert_int_equal(list.n, 0);
    assert_int_equal(conf_list_add(&list, "b", 1), 0);
    assert_string_equal(joined(&list), "b|");
    conf_list_clear(&list);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(splitting_adds_to_what_is_there),
        cmocka_unit_test(a_cleared_list_is_empty),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
