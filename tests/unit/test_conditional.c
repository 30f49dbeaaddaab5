/*
 * Conditional requests: entity tags, the order of the conditions, If-Range.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/conditional.h"

#define NOW    INT64_C(1792000000)
#define MTIME  INT64_C(784111777)
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACT  "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

#define SEND   CONDITIONAL_SEND
#define SAME   CONDITIONAL_NOT_MODIFIED
#define FAILED CONDITIONAL_FAILED

static void writes_tags(void **state)
{
    static const struct {
        struct timespec mtime;
        uint64_t size;
        const char *etag;
    } cases[] = {
        {{0, 0}, 0, "\"000000000-0\""},
        {{0x65f1a2b3, 123456789}, 0x400, "\"65f1a2b3075bcd15-400\""},
        {{1, 16}, 1, "\"100000010-1\""},
        {{16, 1}, 1, "\"1000000001-1\""},
        {{-1, 999999999}, UINT64_MAX, "\"ffffffffffffffff3b9ac9ff-ffffffffffffffff\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char etag[ETAG_SIZE];

        etag_format(&cases[i].mtime, cases[i].size, etag);
        assert_string_equal(etag, cases[i].etag);
        assert_true(etag_equals_strongly(etag, etag));
    }
}

/* The first four are the examples of RFC 9110 section 8.8.3.2. */
static void compares_tags(void **state)
{
    static const struct {
        const char *a, *b;
        bool strongly, weakly;
    } cases[] = {
        {"W/\"1\"", "W/\"1\"", false, true},
        {"W/\"1\"", "W/\"2\"", false, false},
        {"W/\"1\"", "\"1\"", false, true},
        {"\"1\"", "\"1\"", true, true},
        {"\"1\"", "\"2\"", false, false},
        {"\"1\"", "\"11\"", false, false},
        {"\"\"", "\"\"", true, true},
        {"\"a\"", "\"A\"", false, false},
        {"\"\xc3\xa9\"", "\"\xc3\xa9\"", true, true},
        {"\"a,b\"", "\"a,b\"", true, true},
        {"\"a\\\"", "\"a\\\"", true, true},
        {"w/\"1\"", "w/\"1\"", false, false},
        {"1", "1", false, false},
        {"\"1", "\"1", false, false},
        {"\"", "\"", false, false},
        {"", "", false, false},
        {"W/", "W/", false, false},
        {"\"a b\"", "\"a b\"", false, false},
        {"\"a\x7f\"", "\"a\x7f\"", false, false},
        {"\"1\"x", "\"1\"x", false, false},
        {"\"1\"", "\"1\" ", false, false},
        {"*", "*", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *a = cases[i].a, *b = cases[i].b;

        if (etag_equals_strongly(a, b) != cases[i].strongly ||
            etag_equals_strongly(b, a) != cases[i].strongly)
            fail_msg("%s %s strongly", a, b);
        if (etag_equals_weakly(a, b) != cases[i].weakly ||
            etag_equals_weakly(b, a) != cases[i].weakly)
            fail_msg("%s %s weakly", a, b);
    }
}

struct row {
    const char *name;
    struct conditional_request request;
    enum conditional_result result;
};

static void judge_rows(const struct row *rows, size_t n, const struct conditional_entity *entity)
{
    for (size_t i = 0; i < n; i++) {
        struct conditional_request request = rows[i].request;
        enum conditional_result result;

        request.now_s = NOW;
        result = conditional_judge(&request, entity);
        if (result != rows[i].result)
            fail_msg("%s: %d", rows[i].name, (int)result);
    }
}

#define JUDGE(rows, etag, mtime)                       \
    judge_rows(rows, sizeof(rows) / sizeof((rows)[0]), \
               &(const struct conditional_entity){etag, mtime})
#define GET .is_get_or_head = true

static void judges_lists_of_tags(void **state)
{
    static const struct row rows[] = {
        {"nothing", {GET}, SEND},
        {"nothing, another method", {0}, SEND},
        {"match", {GET, .if_match = "\"a\""}, SEND},
        {"match, another method", {.if_match = "\"a\""}, SEND},
        {"match another", {GET, .if_match = "\"b\""}, FAILED},
        {"match any", {GET, .if_match = "*"}, SEND},
        {"match any, blanks", {GET, .if_match = " *\t"}, SEND},
        {"match is strong", {GET, .if_match = "W/\"a\""}, FAILED},
        {"match second", {GET, .if_match = "\"b\", \"a\""}, SEND},
        {"match without spaces", {GET, .if_match = "\"b\",\"a\",\"c\""}, SEND},
        {"match with empty elements", {GET, .if_match = ", ,\t\"b\" ,,\"a\","}, SEND},
        {"match none of two", {GET, .if_match = "\"b\", \"c\""}, FAILED},
        {"match empty", {GET, .if_match = ""}, FAILED},
        {"match bare word", {GET, .if_match = "a"}, FAILED},
        {"match open quote", {GET, .if_match = "\"a"}, FAILED},
        {"match without comma", {GET, .if_match = "\"b\" \"a\""}, FAILED},
        {"match behind rubbish", {GET, .if_match = "b, \"a\""}, FAILED},
        {"match before rubbish", {GET, .if_match = "\"a\", b"}, SEND},
        {"star in a list", {GET, .if_match = "\"b\", *"}, FAILED},
        {"two stars", {GET, .if_match = "**"}, FAILED},
        {"comma in a tag", {GET, .if_match = "\"b,\"a\""}, FAILED},
        {"none match", {GET, .if_none_match = "\"a\""}, SAME},
        {"none match is weak", {GET, .if_none_match = "W/\"a\""}, SAME},
        {"none match any", {GET, .if_none_match = "*"}, SAME},
        {"none match another", {GET, .if_none_match = "\"b\""}, SEND},
        {"none match second", {GET, .if_none_match = "\"b\", W/\"a\""}, SAME},
        {"none match empty", {GET, .if_none_match = ""}, SEND},
        {"none match rubbish", {GET, .if_none_match = "a"}, SEND},
        {"none match, another method", {.if_none_match = "\"a\""}, FAILED},
        {"none match any, another method", {.if_none_match = "*"}, FAILED},
        {"none match another, another method", {.if_none_match = "\"b\""}, SEND},
        {"both", {GET, .if_match = "\"a\"", .if_none_match = "\"a\""}, SAME},
        {"both, first fails", {GET, .if_match = "\"b\"", .if_none_match = "\"a\""}, FAILED},
    };

    (void)state;
    JUDGE(rows, "\"a\"", MTIME);
}

static void judges_dates(void **state)
{
    static const struct row rows[] = {
        {"since before", {GET, .if_modified_since = BEFORE}, SEND},
        {"since then", {GET, .if_modified_since = EXACT}, SAME},
        {"since later", {GET, .if_modified_since = AFTER}, SAME},
        {"since rfc850", {GET, .if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT"}, SAME},
        {"since asctime", {GET, .if_modified_since = "Sun Nov  6 08:49:36 1994"}, SEND},
        {"since rubbish", {GET, .if_modified_since = "yesterday"}, SEND},
        {"since two dates", {GET, .if_modified_since = EXACT ", " EXACT}, SEND},
        {"since, another method", {.if_modified_since = EXACT}, SEND},
        {"not since before", {GET, .if_unmodified_since = BEFORE}, FAILED},
        {"not since then", {GET, .if_unmodified_since = EXACT}, SEND},
        {"not since later", {GET, .if_unmodified_since = AFTER}, SEND},
        {"not since rubbish", {GET, .if_unmodified_since = "yesterday"}, SEND},
        {"not since before, another method", {.if_unmodified_since = BEFORE}, FAILED},
        {"not since then, another method", {.if_unmodified_since = EXACT}, SEND},
    };

    (void)state;
    JUDGE(rows, "\"a\"", MTIME);
}

/* RFC 9110 section 13.2.2: a list of entity tags makes the date beside it void. */
static void lets_tags_go_before_dates(void **state)
{
    static const struct row rows[] = {
        {"match, date fails", {GET, .if_match = "\"a\"", .if_unmodified_since = BEFORE}, SEND},
        {"no match, date holds", {GET, .if_match = "\"b\"", .if_unmodified_since = AFTER}, FAILED},
        {"tag differs, date same",
         {GET, .if_none_match = "\"b\"", .if_modified_since = EXACT},
         SEND},
        {"tag same, date before",
         {GET, .if_none_match = "\"a\"", .if_modified_since = BEFORE},
         SAME},
        {"rubbish for a list", {GET, .if_none_match = "a", .if_modified_since = EXACT}, SEND},
        {"412 before 304", {GET, .if_unmodified_since = BEFORE, .if_none_match = "\"a\""}, FAILED},
        {"both dates", {GET, .if_unmodified_since = EXACT, .if_modified_since = EXACT}, SAME},
        {"match, then since", {GET, .if_match = "*", .if_modified_since = EXACT}, SAME},
    };

    (void)state;
    JUDGE(rows, "\"a\"", MTIME);
}

static void takes_missing_validators(void **state)
{
    static const struct row rows[] = {
        {"match", {GET, .if_match = "\"a\""}, FAILED},
        {"match any", {GET, .if_match = "*"}, SEND},
        {"none match", {GET, .if_none_match = "\"a\""}, SEND},
        {"none match any", {GET, .if_none_match = "*"}, SAME},
        {"since", {GET, .if_modified_since = AFTER}, SEND},
        {"not since", {GET, .if_unmodified_since = BEFORE}, SEND},
    };

    (void)state;
    JUDGE(rows, NULL, -1);
}

static void judges_a_weak_entity(void **state)
{
    static const struct row rows[] = {
        {"match", {GET, .if_match = "W/\"a\""}, FAILED},
        {"match strong", {GET, .if_match = "\"a\""}, FAILED},
        {"none match", {GET, .if_none_match = "W/\"a\""}, SAME},
        {"none match strong", {GET, .if_none_match = "\"a\""}, SAME},
    };

    (void)state;
    JUDGE(rows, "W/\"a\"", MTIME);
}

static void judges_if_range(void **state)
{
    static const struct {
        const char *if_range;
        struct conditional_entity entity;
        bool holds;
    } cases[] = {
        {NULL, {"\"a\"", MTIME}, true},
        {NULL, {NULL, -1}, true},
        {"\"a\"", {"\"a\"", MTIME}, true},
        {"\"b\"", {"\"a\"", MTIME}, false},
        {"W/\"a\"", {"\"a\"", MTIME}, false},
        {"W/\"a\"", {"W/\"a\"", MTIME}, false},
        {"\"a\"", {NULL, MTIME}, false},
        {"\"a\", \"b\"", {"\"a\"", MTIME}, false},
        {"*", {"\"a\"", MTIME}, false},
        {"", {"\"a\"", MTIME}, false},
        {EXACT, {"\"a\"", MTIME}, true},
        {EXACT, {NULL, MTIME}, true},
        {BEFORE, {"\"a\"", MTIME}, false},
        {AFTER, {"\"a\"", MTIME}, false},
        {"Sun Nov  6 08:49:37 1994", {"\"a\"", MTIME}, false},
        {"Thu, 01 Jan 1970 00:00:00 GMT", {"\"a\"", -1}, false},
        {"Thu, 01 Jan 1970 00:00:00 GMT", {"\"a\"", 0}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (conditional_range_holds(cases[i].if_range, &cases[i].entity) != cases[i].holds)
            fail_msg("case %zu: %s", i, cases[i].if_range != NULL ? cases[i].if_range : "none");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_tags),
        cmocka_unit_test(compares_tags),
        cmocka_unit_test(judges_lists_of_tags),
        cmocka_unit_test(judges_dates),
        cmocka_unit_test(lets_tags_go_before_dates),
        cmocka_unit_test(takes_missing_validators),
        cmocka_unit_test(judges_a_weak_entity),
        cmocka_unit_test(judges_if_range),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
