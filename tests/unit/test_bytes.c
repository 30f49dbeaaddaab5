/*
 * The buffer that grows: what it holds, what it keeps, and what it does when
 * memory is short.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static bool memory_is_short;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(memory, size);
}

static void assert_holds(const struct bytes *bytes, const char *expected)
{
    assert_false(bytes->failed);
    assert_int_equal(bytes->len, strlen(expected));
    assert_string_equal(bytes->at, expected);
}

static void nothing_is_empty(void **state)
{
    struct bytes bytes = {.at = NULL};

    (void)state;
    bytes_take(&bytes, 0);
    bytes_clear(&bytes);
    assert_null(bytes.at);
    bytes_free(&bytes);
    bytes_add(&bytes, "", 0);
    assert_holds(&bytes, "");
    bytes_free(&bytes);
    assert_null(bytes.at);
    assert_int_equal(bytes.len + bytes.size, 0);
}

static void adds_at_the_end(void **state)
{
    struct bytes bytes = {.at = NULL};

    (void)state;
    bytes_add(&bytes, "abcdef", 3);
    assert_holds(&bytes, "abc");
    bytes_add_text(&bytes, "");
    bytes_add_text(&bytes, "-");
    bytes_add_number(&bytes, 42);
    assert_holds(&bytes, "abc-42");
    bytes_add(&bytes, "\0x", 3);
    assert_int_equal(bytes.len, 9);
    assert_memory_equal(bytes.at, "abc-42\0x\0", 10);
    bytes_free(&bytes);
}

static void writes_numbers(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {10, "10"},
        {65535, "65535"},
        {1000, "1000"},
        {UINT64_MAX, "18446744073709551615"},
        {1ULL << 63, "9223372036854775808"},
    };
    struct bytes bytes = {.at = NULL};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes_add_number(&bytes, rows[i].number);
        assert_holds(&bytes, rows[i].text);
        bytes_clear(&bytes);
    }
    bytes_free(&bytes);
}

/* Byte by byte over every size at which it grows, and in one piece: the NUL has its room. */
static void grows(void **state)
{
    struct bytes slow = {.at = NULL}, fast = {.at = NULL};

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        char byte = (char)('a' + i % 26);
        bytes_add(&slow, &byte, 1);
        assert_int_equal(slow.len, i + 1);
        assert_true(slow.len < slow.size);
        assert_int_equal(slow.at[slow.len], '\0');
    }
    for (size_t len = 250; len < 5000; len += 1) {
        bytes_free(&fast);
        bytes_add(&fast, slow.at, len);
        assert_int_equal(fast.len, len);
        assert_true(fast.len < fast.size);
        assert_int_equal(fast.at[len], '\0');
        assert_memory_equal(fast.at, slow.at, len);
    }
    bytes_free(&slow);
    bytes_free(&fast);
}

static void takes_from_the_front(void **state)
{
    struct bytes bytes = {.at = NULL};

    (void)state;
    bytes_add_text(&bytes, "one two");
    bytes_take(&bytes, 0);
    assert_holds(&bytes, "one two");
    bytes_take(&bytes, 4);
    assert_holds(&bytes, "two");
    bytes_add_text(&bytes, "s");
    assert_holds(&bytes, "twos");
    bytes_take(&bytes, 4);
    assert_holds(&bytes, "");
    bytes_free(&bytes);
}

static void clearing_keeps_the_memory(void **state)
{
    struct bytes bytes = {.at = NULL};
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text);
    bytes_add(&bytes, text, sizeof text);
    const char *at = bytes.at;
    size_t size = bytes.size;
    bytes_clear(&bytes);
    assert_int_equal(bytes.len, 0);
    memory_is_short = true;
    bytes_add(&bytes, text, sizeof text);
    memory_is_short = false;
    assert_false(bytes.failed);
    assert_int_equal(bytes.len, sizeof text);
    assert_ptr_equal(bytes.at, at);
    assert_int_equal(bytes.size, size);
    bytes_free(&bytes);
}

static void failure_stays_until_cleared(void **state)
{
    struct bytes bytes = {.at = NULL};
    char text[1000] = "";

    (void)state;
    bytes_add_text(&bytes, "first");
    memory_is_short = true;
    bytes_add(&bytes, text, sizeof text);
    memory_is_short = false;
    assert_true(bytes.failed);
    bytes_add_text(&bytes, "x");
    bytes_add_number(&bytes, 1);
    assert_true(bytes.failed);
    assert_int_equal(bytes.len, 5);
    assert_string_equal(bytes.at, "first");
    bytes_clear(&bytes);
    bytes_add_text(&bytes, "second");
    assert_holds(&bytes, "second");
    bytes_free(&bytes);
    assert_false(bytes.failed);
}

static void the_first_memory_may_be_missing(void **state)
{
    struct bytes bytes = {.at = NULL};

    (void)state;
    memory_is_short = true;
    bytes_add_text(&bytes, "x");
    memory_is_short = false;
    assert_true(bytes.failed);
    assert_null(bytes.at);
    assert_int_equal(bytes.len, 0);
    bytes_take(&bytes, 0);
    bytes_free(&bytes);
}

/* More than there can be: no size is computed that has wrapped around. */
static void too_much_is_a_failure(void **state)
{
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 5, SIZE_MAX / 2 + 1,
                                     SIZE_MAX / 2};
    struct bytes bytes = {.at = NULL};

    (void)state;
    bytes_add_text(&bytes, "first");
    memory_is_short = true;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        bytes_add(&bytes, "x", lengths[i]);
        assert_true(bytes.failed);
        assert_int_equal(bytes.len, 5);
        bytes.failed = false;
    }
    memory_is_short = false;
    assert_holds(&bytes, "first");
    bytes_free(&bytes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_empty),
        cmocka_unit_test(adds_at_the_end),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(grows),
        cmocka_unit_test(takes_from_the_front),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(failure_stays_until_cleared),
        cmocka_unit_test(the_first_memory_may_be_missing),
        cmocka_unit_test(too_much_is_a_failure),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
