/*
 * traceparent and tracestate against the rules of W3C Trace Context, level 1.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/trace_context.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"
#define GOOD  "00-" TRACE "-" SPAN "-01"
#define ZEROS "0000000000000000"

static void reads_good_ones(void **state)
{
    static const struct {
        const char *text;
        const char *again;
    } rows[] = {
        {GOOD, GOOD},
        {"00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00"},
        {"00-" TRACE "-" SPAN "-ff", GOOD},
        {"00-" TRACE "-" SPAN "-02", "00-" TRACE "-" SPAN "-00"},
        {"01-" TRACE "-" SPAN "-01", GOOD},
        {"cc-" TRACE "-" SPAN "-01-what-comes", GOOD},
        {"fe-" TRACE "-" SPAN "-09-", GOOD},
        {"00-" ZEROS "0000000000000001-0000000000000001-00",
         "00-" ZEROS "0000000000000001-0000000000000001-00"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trace_context context;
        char buf[TRACE_PARENT_SIZE];

        if (trace_context_parse(rows[i].text, &context) != 0)
            fail_msg("%s", rows[i].text);
        trace_context_format(&context, buf);
        assert_string_equal(buf, rows[i].again);
    }
}

static void refuses_bad_ones(void **state)
{
    static const char *const rows[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-011",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01 ",
        " " GOOD,
        "01-" TRACE "-" SPAN "-01x",
        "01-" TRACE "-" SPAN "-01 ",
        "ff-" TRACE "-" SPAN "-01",
        "FE-" TRACE "-" SPAN "-01",
        "0g-" TRACE "-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-" TRACE "-" SPAN "-0A",
        "00-" TRACE "-" SPAN "-x1",
        "00-0AF7651916cd43dd8448eb211c80319c-" SPAN "-01",
        "00-" TRACE "-B7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319:-" SPAN "-01",
        "00-" TRACE "-b7ad6b716920333/-01",
        "00-" ZEROS ZEROS "-" SPAN "-01",
        "00-" TRACE "-" ZEROS "-01",
        "00-" TRACE "-" SPAN "-\xff"
        "1",
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trace_context context, before;

        memset(&context, 0x5a, sizeof context);
        before = context;
        if (trace_context_parse(rows[i], &context) != -EINVAL)
            fail_msg("accepted: %s", rows[i]);
        assert_memory_equal(&context, &before, sizeof context);
    }
}

static void a_child_keeps_the_trace(void **state)
{
    struct trace_random random;
    struct trace_context parent, child;
    char buf[TRACE_PARENT_SIZE];
    (void)state;

    assert_int_equal(trace_random_seed(&random), 0);
    assert_int_equal(trace_context_parse(GOOD, &parent), 0);
    trace_context_child(&parent, &random, &child);
    assert_memory_equal(child.trace_id, parent.trace_id, sizeof child.trace_id);
    assert_memory_not_equal(child.span_id, parent.span_id, sizeof child.span_id);
    assert_int_equal(child.flags, TRACE_SAMPLED);

    parent.flags = 0;
    child = parent;
    trace_context_child(&child, &random, &child);
    assert_int_equal(child.flags, 0);
    assert_memory_not_equal(child.span_id, parent.span_id, sizeof child.span_id);
    trace_context_format(&child, buf);
    assert_memory_equal(buf, GOOD, strlen("00-" TRACE "-"));
}

static void new_traces_are_valid_and_differ(void **state)
{
    struct trace_random random = {{1, 2, 3, 4}}, other;
    struct trace_context last = {{0}, {0}, 0}, context, read;
    (void)state;

    for (int i = 0; i < 1000; i++) {
        char buf[TRACE_PARENT_SIZE];

        trace_context_new(&random, &context);
        trace_context_format(&context, buf);
        assert_int_equal(strlen(buf), TRACE_PARENT_SIZE - 1);
        assert_int_equal(trace_context_parse(buf, &read), 0);
        assert_memory_equal(&read, &context, sizeof read);
        assert_int_equal(context.flags, TRACE_SAMPLED);
        assert_memory_not_equal(context.trace_id, last.trace_id, sizeof last.trace_id);
        assert_memory_not_equal(context.span_id, last.span_id, sizeof last.span_id);
        last = context;
    }
    assert_int_equal(trace_random_seed(&random), 0);
    assert_int_equal(trace_random_seed(&other), 0);
    assert_memory_not_equal(&random, &other, sizeof random);
}

static void the_generator_is_the_published_one(void **state)
{
    /* xoshiro256** from {1, 2, 3, 4}: 11520, 0 (which no id may be), 1509978240,
     * 1215971899390074240 */
    struct trace_random random = {{1, 2, 3, 4}};
    struct trace_context context;
    uint64_t numbers[3];
    (void)state;

    trace_context_new(&random, &context);
    memcpy(numbers, context.trace_id, 16);
    memcpy(numbers + 2, context.span_id, 8);
    assert_true(numbers[0] == 11520);
    assert_true(numbers[1] == 1509978240);
    assert_true(numbers[2] == 1215971899390074240);
}

static void looks_at_the_state(void **state)
{
    char longest[514], members[80];
    (void)state;

    assert_true(trace_state_is_sane(""));
    assert_true(trace_state_is_sane("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    assert_true(trace_state_is_sane("a=1 ,\tb=2,, c=~"));
    assert_false(trace_state_is_sane("a=1\r\nSet-Cookie: x"));
    assert_false(trace_state_is_sane("a=\x7f"));
    assert_false(trace_state_is_sane("a=\x1f"));
    assert_false(trace_state_is_sane("a=\xc3\xa9"));
    memset(longest, 'a', sizeof longest);
    longest[512] = '\0';
    assert_true(trace_state_is_sane(longest));
    longest[512] = 'a';
    longest[513] = '\0';
    assert_false(trace_state_is_sane(longest));
    memset(members, ',', sizeof members);
    members[31] = '\0';
    assert_true(trace_state_is_sane(members));
    members[31] = ',';
    members[32] = '\0';
    assert_false(trace_state_is_sane(members));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_good_ones),
        cmocka_unit_test(refuses_bad_ones),
        cmocka_unit_test(a_child_keeps_the_trace),
        cmocka_unit_test(new_traces_are_valid_and_differ),
        cmocka_unit_test(the_generator_is_the_published_one),
        cmocka_unit_test(looks_at_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
