/*
 * The json handler: whatever is asked, it answers with one valid JSON text.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "handler_fixture.h"

static const struct pair typed[] = {{"Content-Type", "application/json"}, {NULL, NULL}};

/* The status; what the answer says is in *ret_answer, to be freed with json_decref(). */
static int ask(struct http_request *request, json_t **ret_answer)
{
    handler_ask(&handler_json, request);
    assert_string_equal(request->type, "application/json");
    *ret_answer = json_loads(request->answer, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (*ret_answer == NULL)
        fail_msg("not JSON: %s", request->answer);
    assert_non_null(handler_field(request, "Cache-Control"));
    handler_forget(request);
    return request->status;
}

static void check(struct http_request *request, const char *expected)
{
    json_t *answer, *wanted = json_loads(expected, 0, NULL);

    assert_non_null(wanted);
    assert_int_equal(ask(request, &answer), 200);
    if (!json_equal(answer, wanted))
        fail_msg("%s, not %s", json_dumps(answer, JSON_COMPACT), expected);
    json_decref(answer);
    json_decref(wanted);
}

static void tells_what_it_understood(void **state)
{
    static const struct pair headers[] = {{"Host", "a"},  {"X-Two", "1"},
                                          {"x-two", "2"}, {"Content-Type", "application/json"},
                                          {"Empty", ""},  {NULL, NULL}};
    static const struct pair wildcards[] = {{"id", "7"}, {"rest", ""}, {NULL, NULL}};
    struct http_request request = {.method = "POST",
                                   .path = "/a b",
                                   .query = "a=1&b=2&a=+%2B&c&=d&&",
                                   .headers = headers,
                                   .wildcards = wildcards,
                                   .body = "{\"x\": [1, 2.5, null, true]}"};

    (void)state;
    check(&request,
          "{\"method\":\"POST\",\"path\":\"/a b\",\"params\":{\"id\":\"7\",\"rest\":\"\"},"
          "\"query\":{\"a\":[\"1\",\" +\"],\"b\":[\"2\"],\"c\":[\"\"],\"\":[\"d\"]},"
          "\"headers\":{\"host\":[\"a\"],\"x-two\":[\"1\",\"2\"],"
          "\"content-type\":[\"application/json\"],\"empty\":[\"\"]},"
          "\"body\":{\"x\":[1,2.5,null,true]}}");
}

static void needs_nothing(void **state)
{
    struct http_request request = {.method = "GET"};

    (void)state;
    check(&request, "{\"method\":\"GET\",\"path\":\"/\",\"params\":{},\"query\":{},"
                    "\"headers\":{},\"body\":null}");
}

static void hides_credentials(void **state)
{
    static const struct pair headers[] = {{"Authorization", "a"},   {"COOKIE", "b"},
                                          {"Cookie", "c"},          {"proxy-authorization", "d"},
                                          {"X-Authorization", "e"}, {NULL, NULL}};
    struct http_request request = {.headers = headers};

    (void)state;
    check(&request,
          "{\"method\":\"GET\",\"path\":\"/\",\"params\":{},\"query\":{},\"headers\":{"
          "\"authorization\":[\"***\"],\"cookie\":[\"***\",\"***\"],"
          "\"proxy-authorization\":[\"***\"],\"x-authorization\":[\"e\"]},\"body\":null}");
}

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void replaces_what_is_no_utf8(void **state)
{
    static const struct pair headers[] = {{"X", "\xc3\xa9\xff"}, {NULL, NULL}};
    static const struct pair wildcards[] = {{"w", "\xe2\x82"}, {NULL, NULL}};
    struct http_request request = {.path = "/\xc3(\xed\xa0\x80/\xf0\x9f\xa7\x9f",
                                   .query = "%ff=%c0%80&\xfe=a",
                                   .headers = headers,
                                   .wildcards = wildcards};

    (void)state;
    check(&request,
          "{\"method\":\"GET\",\"path\":\"/" BAD "(" BAD BAD BAD
          "/\xf0\x9f\xa7\x9f\",\"params\":{\"w\":\"" BAD BAD "\"},\"query\":{\"" BAD
          "\":[\"" BAD BAD "\",\"a\"]},\"headers\":{\"x\":[\"\xc3\xa9" BAD "\"]},\"body\":null}");
}

static void takes_any_json(void **state)
{
    static const char *const rows[] = {
        "null",
        " true ",
        "12",
        "-9223372036854775808",
        "9223372036854775807",
        "1.5e3",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud83e\\udddf\"",
        "\"\xf0\x9f\xa7\x9f\"",
        "[]",
        "{}",
        "\r\n\t[ [ ] , { \"a\" : { } } ]\n",
        "{\"\":0}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.body = rows[i], .headers = typed};
        json_t *answer, *wanted = json_loads(rows[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        assert_int_equal(ask(&request, &answer), 200);
        assert_non_null(wanted);
        if (!json_equal(json_object_get(answer, "body"), wanted))
            fail_msg("%s", rows[i]);
        json_decref(answer);
        json_decref(wanted);
    }
}

/* The offset is how many bytes had been read when the fault was found. */
static void refuses_other_bodies_with_an_offset(void **state)
{
    static const struct {
        const char *body;
        size_t len;
        int offset;
    } rows[] = {
        {" ", 0, 1},
        {"{", 0, 1},
        {"[1,]", 0, 4},
        {"[1] 2", 0, 5},
        {"{\"a\":1,\"a\":2}", 0, 10},
        {"{\"a\" 1}", 0, 6},
        {"nul", 0, 3},
        {"'a'", 0, 1},
        {"\"a", 0, 2},
        {"[1", 0, 2},
        {"01", 0, 1},
        {"9223372036854775808", 0, 19},
        {"[1e999]", 0, 6},
        {"NaN", 0, 3},
        {"\xef\xbb\xbf{}", 0, 3},
        {"\"\xff\"", 0, 1},
        {"\"\\ud800\"", 0, 8},
        {"{\"\\u0000\":1}", 0, 9},
        {"[1]\0", 4, 4},
        {"\0", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.body = rows[i].body, .len = rows[i].len, .headers = typed};
        json_t *answer;

        assert_int_equal(ask(&request, &answer), 400);
        if (json_integer_value(json_object_get(answer, "offset")) != rows[i].offset)
            fail_msg("%s: %s", rows[i].body, json_dumps(answer, 0));
        assert_true(json_is_string(json_object_get(answer, "error")));
        json_decref(answer);
    }
}

static void refuses_depth(void **state)
{
    static const struct {
        size_t depth;
        int status;
    } rows[] = {{2048, 200}, {2049, 400}, {500000, 400}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t depth = rows[i].depth;
        char *body = malloc(2 * depth + 1);
        struct http_request request = {.body = body, .headers = typed};

        assert_non_null(body);
        memset(body, '[', depth);
        memset(body + depth, ']', depth);
        body[2 * depth] = '\0';
        handler_ask(&handler_json, &request);
        assert_int_equal(request.status, rows[i].status);
        handler_forget(&request);
        free(body);
    }
}

static void refuses_bad_escapes_with_an_offset(void **state)
{
    static const struct {
        const char *query;
        int offset;
    } rows[] = {{"%", 0}, {"a=%zz", 2}, {"a=1&b=%0", 6}, {"a=%00", 2}, {"%4", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.query = rows[i].query};
        json_t *answer;

        assert_int_equal(ask(&request, &answer), 400);
        assert_int_equal(json_integer_value(json_object_get(answer, "offset")), rows[i].offset);
        assert_true(json_is_string(json_object_get(answer, "error")));
        json_decref(answer);
    }
}

static void refuses_other_types(void **state)
{
    static const struct pair rows[][2] = {
        {{"Content-Type", "text/json"}, {NULL, NULL}},
        {{"Content-Type", "application/json; charset=latin1"}, {NULL, NULL}},
        {{NULL, NULL}, {NULL, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.body = "{}", .headers = rows[i]};
        json_t *answer;

        handler_ask(&handler_json, &request);
        assert_string_equal(handler_field(&request, "Accept"), "application/json");
        assert_int_equal(ask(&request, &answer), 415);
        assert_null(json_object_get(answer, "offset"));
        json_decref(answer);
    }
}

static unsigned long allocations_left;

static void *allocate(size_t size)
{
    return allocations_left > 0 && allocations_left-- > 0 ? malloc(size) : NULL;
}

static void says_when_memory_is_short(void **state)
{
    static const struct pair headers[] = {
        {"Content-Type", "application/json"}, {"X", "y"}, {"X", "z"}, {NULL, NULL}};
    static const struct pair wildcards[] = {{"w", "v"}, {NULL, NULL}};
    int status = 0;

    (void)state;
    json_set_alloc_funcs(allocate, free);
    for (unsigned long n = 0; status != 200; n++) {
        struct http_request request = {.query = "a=b&a=c&d",
                                       .body = "[{\"a\":\"b\"}]",
                                       .headers = headers,
                                       .wildcards = wildcards};

        assert_true(n < 1000);
        allocations_left = n;
        handler_ask(&handler_json, &request);
        status = request.status;
        if (status != 200 && status != 500)
            fail_msg("%lu allocations: %d", n, status);
        handler_forget(&request);
    }
    json_set_alloc_funcs(malloc, free);
}

static void says_when_the_request_has_no_memory(void **state)
{
    struct http_request request = {.query = "a=b", .lacks_memory = true};

    (void)state;
    handler_ask(&handler_json, &request);
    assert_int_equal(request.status, 500);
    handler_forget(&request);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_it_understood),
        cmocka_unit_test(needs_nothing),
        cmocka_unit_test(hides_credentials),
        cmocka_unit_test(replaces_what_is_no_utf8),
        cmocka_unit_test(takes_any_json),
        cmocka_unit_test(refuses_other_bodies_with_an_offset),
        cmocka_unit_test(refuses_depth),
        cmocka_unit_test(refuses_bad_escapes_with_an_offset),
        cmocka_unit_test(refuses_other_types),
        cmocka_unit_test(says_when_memory_is_short),
        cmocka_unit_test(says_when_the_request_has_no_memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
