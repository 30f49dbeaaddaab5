/*
 * Where redirects lead, and that no request can lead them elsewhere.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/pattern.h"
#include "handler_fixture.h"
#include "http/handlers/redirect_target.h"

static void takes_paths_and_urls(void **state)
{
    static const char *const rows[] = {
        "/",
        "/a",
        "/a/b?c=d&e#f",
        "/%41",
        "/a//b",
        "/?",
        "http://a",
        "https://a/",
        "HTTPS://A.test:8443/",
        "/a:b",
        "http://a?b",
        "http://a#b",
        "/a/../b",
        "http://1.2.3.4/x",
        "http://[::1]:80/x",
        "/'()*+,;=@~",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (redirect_target_check(rows[i]) != NULL)
            fail_msg("%s: %s", rows[i], redirect_target_check(rows[i]));
}

#define BYTES   "must be percent-encoded"
#define NEITHER "neither a path nor"
#define HOST    "host"
#define SLASH   "one slash"

static void refuses_other_targets(void **state)
{
    static const struct {
        const char *to, *why;
    } rows[] = {
        {"", NEITHER},
        {"a", NEITHER},
        {"?a", NEITHER},
        {"#a", NEITHER},
        {"a.test/", NEITHER},
        {"ftp://a/", NEITHER},
        {"javascript:alert(1)", NEITHER},
        {"http:", NEITHER},
        {"http:/a", NEITHER},
        {"//a.test/", SLASH},
        {"//", SLASH},
        {"/\\a.test", BYTES},
        {"/a\\b", BYTES},
        {"/a b", BYTES},
        {" /a", BYTES},
        {"/a ", BYTES},
        {"/a\r\nSet-Cookie: b=c", BYTES},
        {"/a\n", BYTES},
        {"/\t/a.test", BYTES},
        {"/\x7f", BYTES},
        {"/\xc3\xa9", BYTES},
        {"/\"", BYTES},
        {"/<a>", BYTES},
        {"/{a}", BYTES},
        {"http://", HOST},
        {"http:///a", HOST},
        {"https://:80/", HOST},
        {"http://a:b/", HOST},
        {"http://a:0/", HOST},
        {"http://a@b/", HOST},
        {"http://a%2fb/", HOST},
        {"http://[::1/", HOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = redirect_target_check(rows[i].to);

        if (why == NULL || strncmp(why, "to: ", 4) != 0 || strstr(why, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].to, why != NULL ? why : "taken");
    }
}

static void joins_path_and_query(void **state)
{
    static const struct {
        const char *to, *below, *query, *location;
    } rows[] = {
        {"/a", "", "", "/a"},
        {"/a/", "", "", "/a/"},
        {"/", "", "", "/"},
        {"/a", "b/c", "", "/a/b/c"},
        {"/a/", "b/c/", "", "/a/b/c/"},
        {"/", "b", "", "/b"},
        {"/a", "b%2Fc%20d", "", "/a/b%2Fc%20d"},
        {"/a", "b//c", "", "/a/b//c"},
        {"/a", "", "x=1&y=%20", "/a?x=1&y=%20"},
        {"/a?b=c", "", "x=1", "/a?b=c&x=1"},
        {"/a?b=c", "d", "x=1", "/a/d?b=c&x=1"},
        {"/a?b=c#d", "e", "x=1", "/a/e?b=c&x=1#d"},
        {"/a#d", "e", "x=1", "/a/e?x=1#d"},
        {"/a#d?e", "", "x", "/a?x#d?e"},
        {"/a?b/", "c", "", "/a/c?b/"},
        {"http://h", "a", "", "http://h/a"},
        {"http://h/", "a", "", "http://h/a"},
        {"http://h", "", "q", "http://h?q"},
        {"http://h?b", "a", "q", "http://h/a?b&q"},
        {"http://h", "@evil.test", "", "http://h/@evil.test"},
        {"http://h", ":80", "", "http://h/:80"},
        {"/", "/evil.test", "", "/evil.test"},
        {"/", "//evil.test/", "", "/evil.test/"},
        {"/", "///", "", "/"},
        {"/a", "/", "", "/a"},
        {"/", "\\evil.test", "", "/%5Cevil.test"},
        {"/", "/\\/evil.test", "", "/%5C/evil.test"},
        {"/", "\t/evil.test", "", "/%09/evil.test"},
        {"/", "%2Fevil.test", "", "/%2Fevil.test"},
        {"/", "a\r\nX: y", "", "/a%0D%0AX:%20y"},
        {"/", "", "a\r\nX: y", "/?a%0D%0AX:%20y"},
        {"/", "\xc3\xa9\x80", "\xff", "/%C3%A9%80?%FF"},
        {"/", "\"<>^`{|}", "[]'", "/%22%3C%3E%5E%60%7B%7C%7D?[]'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *location = redirect_target_join(rows[i].to, rows[i].below, rows[i].query);

        assert_non_null(location);
        assert_string_equal(location, rows[i].location);
        free(location);
    }
}

/* Whatever comes behind "/": one slash in front, and nothing but bytes of URIs. */
static void leads_to_no_other_host(void **state)
{
    static const char bytes[] = "/\\.%:@?#\t\r\n \x80"
                                "a";
    size_t n = sizeof bytes - 1;

    (void)state;
    for (size_t i = 0; i < n * n * n; i++) {
        char below[] = {bytes[i % n], bytes[i / n % n], bytes[i / n / n], 'x', '\0'};
        char *location = redirect_target_join("/", below, below);

        assert_non_null(location);
        if (redirect_target_check(location) != NULL)
            fail_msg("%s", location);
        free(location);
    }
}

/* The answer of a route to a request; it is to be forgotten. */
static void answer(const char *text, const struct pair *values, struct http_request *request)
{
    void *settings = handler_settings(&handler_redirect, values);
    struct conf_route route = {.settings = settings};
    const char *why;

    assert_int_equal(pattern_parse(text, &route.parsed, &why), 0);
    assert_null(handler_redirect.conf.check(settings));
    assert_int_equal(handler_redirect.init(&route, &request->state), 0);
    request->settings = settings;
    handler_ask(&handler_redirect, request);
    handler_redirect.drop(request->state);
    pattern_free(route.parsed);
    handler_settings_free(&handler_redirect, settings);
}

static void keeps_what_the_pattern_leaves_open(void **state)
{
    static const struct {
        const char *pattern, *below, *location;
    } rows[] = {
        {"/a/", "b", "/to/b"},     {"/a/{rest...}", "b/c", "/to/b/c"},
        {"/a/{id}", "b", "/to/b"}, {"/a/b", "b", "/to"},
        {"/a/{$}", "", "/to"},     {"GET h/a/", "b", "/to/b"},
    };
    static const struct pair keep[] = {{"to", "/to"}, {"keep_path", "yes"}, {NULL, NULL}};
    static const struct pair leave[] = {{"to", "/to"}, {NULL, NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.raw_below = rows[i].below, .query = "q"};

        answer(rows[i].pattern, keep, &request);
        assert_string_equal(handler_field(&request, "Location"), rows[i].location);
        answer(rows[i].pattern, leave, &request);
        assert_string_equal(handler_field(&request, "Location"), "/to");
        handler_forget(&request);
    }
}

static void has_the_status_that_was_chosen(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {{"301", 301}, {"302", 302}, {"303", 303}, {"307", 307}, {"308", 308}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct pair values[] = {
            {"to", "http://h"}, {"status", rows[i].text}, {"keep_query", "yes"}, {NULL, NULL}};
        struct http_request request = {.query = "q"};

        answer("/", values, &request);
        assert_int_equal(request.status, rows[i].status);
        assert_string_equal(handler_field(&request, "Location"), "http://h?q");
        handler_forget(&request);
    }
}

static void is_302_unless_told(void **state)
{
    static const struct pair values[] = {{"to", "/to"}, {NULL, NULL}};
    struct http_request request = {.query = "q"};

    (void)state;
    answer("/", values, &request);
    assert_int_equal(request.status, 302);
    handler_forget(&request);
}

static void shows_a_link_to_people(void **state)
{
    static const struct pair values[] = {{"to", "/to?a&b='"}, {NULL, NULL}};
    struct http_request request = {.method = "GET"};

    (void)state;
    answer("/", values, &request);
    assert_string_equal(request.type, "text/html; charset=utf-8");
    assert_string_equal(request.answer, "<a href=\"/to?a&amp;b=&#39;\">Found</a>.\n");
    request.method = "HEAD";
    answer("/", values, &request);
    assert_non_null(request.type);
    request.method = "POST";
    answer("/", values, &request);
    assert_null(request.type);
    assert_string_equal(request.answer, "");
    handler_forget(&request);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_paths_and_urls),
        cmocka_unit_test(refuses_other_targets),
        cmocka_unit_test(joins_path_and_query),
        cmocka_unit_test(leads_to_no_other_host),
        cmocka_unit_test(keeps_what_the_pattern_leaves_open),
        cmocka_unit_test(has_the_status_that_was_chosen),
        cmocka_unit_test(is_302_unless_told),
        cmocka_unit_test(shows_a_link_to_people),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
