/*
 * Request targets and queries: how they are taken apart, and which are refused.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/target.h"

static void takes_targets_apart(void **state)
{
    static const struct {
        const char *text;
        const char *path; /* NULL: refused */
        const char *query;
    } cases[] = {
        {"/", "/", ""},
        {"/a", "/a", ""},
        {"/a/b/", "/a/b/", ""},
        {"//a//b", "//a//b", ""},
        {"/a?", "/a", ""},
        {"/a?x=1&y=2", "/a", "x=1&y=2"},
        {"/a?x?y", "/a", "x?y"},
        {"/?x", "/", "x"},
        {"/a#b", "/a", ""},
        {"/a#b?x", "/a", ""},
        {"/a?x#b", "/a", "x"},
        {"/a?#", "/a", ""},
        {"/a%20b", "/a b", ""},
        {"/a+b", "/a+b", ""},
        {"/%2F%2f", "///", ""},
        {"/%3Fx%23y?z", "/?x#y", "z"},
        {"/%25", "/%", ""},
        {"/%2541", "/%41", ""},
        {"/%41%5a%7A", "/AZz", ""},
        {"/%01%10%0f%f0%FF", "/\x01\x10\x0f\xf0\xff", ""},
        {"/%EC%A2%80", "/\xec\xa2\x80", ""},
        {"/a?x=%00%zz%", "/a", "x=%00%zz%"},
        {"http://example.org/a%20b?x", "/a b", "x"},
        {"http://example.org:80/a", "/a", ""},
        {"https://example.org/a", "/a", ""},
        {"HTTP://EXAMPLE.ORG/A", "/A", ""},
        {"HttpS://[::1]:443/a", "/a", ""},
        {"http://example.org", "/", ""},
        {"http://example.org/", "/", ""},
        {"http://example.org?x=1", "/", "x=1"},
        {"http://example.org#x", "/", ""},
        {"http://example.org/http://b/c", "/http://b/c", ""},
        {"", NULL, NULL},
        {"*", NULL, NULL},
        {"a", NULL, NULL},
        {"?x", NULL, NULL},
        {" /", NULL, NULL},
        {"%2f", NULL, NULL},
        {"example.org:443", NULL, NULL},
        {"ftp://example.org/a", NULL, NULL},
        {"http:/example.org/a", NULL, NULL},
        {"http:example.org", NULL, NULL},
        {"httpx://example.org/", NULL, NULL},
        {"/%", NULL, NULL},
        {"/%4", NULL, NULL},
        {"/a%4?x", NULL, NULL},
        {"/%?41", NULL, NULL},
        {"/%4#1", NULL, NULL},
        {"/%zz", NULL, NULL},
        {"/%4g", NULL, NULL},
        {"/%g4", NULL, NULL},
        {"/% 1", NULL, NULL},
        {"/%-1", NULL, NULL},
        {"/%0x", NULL, NULL},
        {"/%u0041", NULL, NULL},
        {"/%00", NULL, NULL},
        {"/a%00b", NULL, NULL},
        {"http://example.org/%00", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char untouched[] = "untouched";
        struct target target = {untouched, untouched};
        int r = target_parse(cases[i].text, &target);

        if (cases[i].path == NULL) {
            if (r != -EINVAL || target.path != untouched || target.query != untouched)
                fail_msg("\"%s\": result %d", cases[i].text, r);
            continue;
        }
        if (r != 0)
            fail_msg("\"%s\": result %d", cases[i].text, r);
        assert_string_equal(target.path, cases[i].path);
        assert_string_equal(target.query, cases[i].query);
        target_clear(&target);
        assert_null(target.path);
        assert_null(target.query);
    }
}

/* RFC 9110 section 4.2.1: an http URI with an empty host is invalid and must be rejected. */
static void refuses_an_empty_host(void **state)
{
    static const char *const texts[] = {"http://", "http:///a", "https://?x", "http://:80/a"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct target target;
        int r = target_parse(texts[i], &target);

        if (r == 0)
            target_clear(&target);
        if (r != -EINVAL)
            fail_msg("\"%s\": result %d", texts[i], r);
    }
}

static void finds_query_values(void **state)
{
    static const struct {
        const char *query;
        int result;
        const char *value;
    } cases[] = {
        {"", -ENOENT, ""},
        {"key=x", 0, "x"},
        {"key=", 0, ""},
        {"key", 0, ""},
        {"key&a", 0, ""},
        {"a=1&key=x&b=2", 0, "x"},
        {"key=x&key=y", 0, "x"},
        {"key&key=y", 0, ""},
        {"a&key=x", 0, "x"},
        {"&&key=x", 0, "x"},
        {"=&key=x", 0, "x"},
        {"key=x&", 0, "x"},
        {"key==x=y", 0, "=x=y"},
        {"key=a?b/c", 0, "a?b/c"},
        {"key=a+b%20c%2B", 0, "a b c+"},
        {"key=%26%3d%25", 0, "&=%"},
        {"key=%4a%4B", 0, "JK"},
        {"key=1234567", 0, "1234567"},
        {"key=%31%32%33%34%35%36%37", 0, "1234567"},
        {"key=12345678", -ENOSPC, ""},
        {"key=%31%32%33%34%35%36%37%38", -ENOSPC, ""},
        {"keys=x", -ENOENT, ""},
        {"ke=x", -ENOENT, ""},
        {"KEY=x", -ENOENT, ""},
        {"akey=x", -ENOENT, ""},
        {"a=key", -ENOENT, ""},
        {"a=key=x", -ENOENT, ""},
        {"keys=y&key=x", 0, "x"},
        {"a=%&key=x", 0, "x"},
        {"a;key=x", -ENOENT, ""},
        {"key=%", -EINVAL, ""},
        {"key=%4", -EINVAL, ""},
        {"key=%4&1=2", -EINVAL, ""},
        {"key=%&41", -EINVAL, ""},
        {"key=%zz", -EINVAL, ""},
        {"key=a%00", -EINVAL, ""},
        {"key=%00", -EINVAL, ""},
        {"key=%%41", -EINVAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *buf = malloc(8);
        int r;

        assert_non_null(buf);
        r = target_query_value(cases[i].query, "key", buf, 8);
        if (r != cases[i].result || (r == 0 && strcmp(buf, cases[i].value) != 0))
            fail_msg("\"%s\": result %d, \"%s\"", cases[i].query, r, r == 0 ? buf : "");
        free(buf);
    }
}

static void fills_the_smallest_buffer(void **state)
{
    char *buf = malloc(1);

    (void)state;
    assert_non_null(buf);
    assert_int_equal(target_query_value("key=", "key", buf, 1), 0);
    assert_int_equal(buf[0], '\0');
    assert_int_equal(target_query_value("key=x", "key", buf, 1), -ENOSPC);
    free(buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_targets_apart),
        cmocka_unit_test(refuses_an_empty_host),
        cmocka_unit_test(finds_query_values),
        cmocka_unit_test(fills_the_smallest_buffer),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
