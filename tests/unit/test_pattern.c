/*
 * Route patterns: what is one, what each says, which of two goes before the
 * other, and a request that two of them match.
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

#include "conf/pattern.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct conf_pattern *parse(const char *text)
{
    struct conf_pattern *pattern = NULL;
    const char *why = "";

    if (pattern_parse(text, &pattern, &why) != 0)
        fail_msg("%s: %s", text, why);
    return pattern;
}

/* A pattern as one line: method, host, then a letter and a text for each segment. */
static void describe(const struct conf_pattern *pattern, char *buf, size_t size)
{
    int used = snprintf(buf, size, "%s|%s|", pattern_method_name(pattern->method), pattern->host);

    for (size_t i = 0; i < pattern->n_segments; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];

        assert_int_equal(segment->len, strlen(segment->text));
        assert_true(used >= 0 && (size_t)used < size);
        used += snprintf(buf + used, size - (size_t)used, " %c%s", "=1*$"[segment->kind],
                         segment -> text);
    }
}

static void says(void **state)
{
    static const char *const cases[][2] = {
        {"/", "|| *"},
        {"/{$}", "|| $"},
        {"/a", "|| =a"},
        {"/a/", "|| =a *"},
        {"/a/{$}", "|| =a $"},
        {"/{x}", "|| 1x"},
        {"/{x}/", "|| 1x *"},
        {"/{x}/{y_2}/{_Z...}", "|| 1x 1y_2 *_Z"},
        {"/{rest...}", "|| *rest"},
        {"GET /", "GET|| *"},
        {"GET \t /", "GET|| *"},
        {"PATCH\t/a", "PATCH|| =a"},
        {"example.com/", "|example.com| *"},
        {"Example.COM./a", "|example.com| =a"},
        {"POST localhost/{x}", "POST|localhost| 1x"},
        {"[::1]/", "|[::1]| *"},
        {"[2001:DB8::1]/", "|[2001:db8::1]| *"},
        {"127.0.0.1/a", "|127.0.0.1| =a"},
        {"/a%20b", "|| =a b"},
        {"/a%2fb", "|| =a/b"},
        {"/%7Bx%7d", "|| ={x}"},
        {"/%25", "|| =%"},
        {"/a+b", "|| =a+b"},
        {"/.../.a/a./..a", "|| =... =.a =a. =..a"},
        {"/\xed\x95\x9c", "|| =\xed\x95\x9c"},
        {"/%ed%95%9c", "|| =\xed\x95\x9c"},
        {"/$/x$", "|| =$ =x$"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_pattern *pattern = parse(cases[i][0]);
        char text[128];

        describe(pattern, text, sizeof(text));
        if (strcmp(text, cases[i][1]) != 0)
            fail_msg("%s: %s", cases[i][0], text);
        pattern_free(pattern);
    }
    pattern_free(NULL);
}

/* Each with a word of the reason, so that it is refused for that one. */
static void refuses(void **state)
{
    static const char *const cases[][2] = {
        {"", "no path"},
        {"a", "no path"},
        {"GET", "no path"},
        {"GET ", "no path"},
        {"GET a", "no path"},
        {" /", "method"},
        {"get /", "method"},
        {"CONNECT /", "method"},
        {"GETS /", "method"},
        {"GE /", "method"},
        {"GET, HEAD /", "method"},
        {"{x}/", "wildcards"},
        {"{host}.example.com/", "wildcards"},
        {"localhost:80/", "port"},
        {"[::1]:80/", "port"},
        {"[::1/", "IPv6"},
        {"[]/", "IPv6"},
        {"[/", "IPv6"},
        {"[127.0.0.1]/", "IPv6"},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]/", "IPv6"},
        {"a\x80/", "letters"},
        {"a%41/", "letters"},
        {"./", "dot"},
        {".h/", "dot"},
        {"h../", "dot"},
        {"h..i/", "dot"},
        {"//", "empty segment"},
        {"/a//b", "empty segment"},
        {"/a//", "empty segment"},
        {"/.", "segment \".\""},
        {"/a/./b", "segment \".\""},
        {"/..", "segment \".\""},
        {"/%2e%2E/a", "segment \".\""},
        {"/a b", "%20"},
        {"GET /a b", "%20"},
        {"/a?x=1", "query"},
        {"/a#b", "query"},
        {"/%", "'%'"},
        {"/%a", "'%'"},
        {"/%ag", "'%'"},
        {"/%2/a", "'%'"},
        {"/%00", "'%'"},
        {"/\x01", "control"},
        {"/\x7f", "control"},
        {"/%0a", "control"},
        {"/a\tb", "control"},
        {"/{", "whole segment"},
        {"/}", "whole segment"},
        {"/a{x}", "whole segment"},
        {"/{x}a", "whole segment"},
        {"/{x", "whole segment"},
        {"/{}", "name"},
        {"/{...}", "name"},
        {"/{1a}", "name"},
        {"/{a-b}", "name"},
        {"/{a b}", "name"},
        {"/{a}{b}", "name"},
        {"/{{a}}", "name"},
        {"/{x..}", "name"},
        {"/{x....}", "name"},
        {"/{$x}", "name"},
        {"/{$...}", "name"},
        {"/{x}/{x}", "twice"},
        {"/{x}/{y}/{x...}", "twice"},
        {"/{$}/", "at the end"},
        {"/{$}/a", "at the end"},
        {"/{x...}/", "at the end"},
        {"/{x...}/a", "at the end"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_pattern *pattern = NULL;
        const char *why = "";
        int err = pattern_parse(cases[i][0], &pattern, &why);

        if (err != -EINVAL || pattern != NULL || strstr(why, cases[i][1]) == NULL)
            fail_msg("\"%s\": %d, %s", cases[i][0], err, why);
    }
}

static int try_parse(const char *text)
{
    struct conf_pattern *pattern = NULL;
    const char *why = NULL;
    int err = pattern_parse(text, &pattern, &why);

    pattern_free(pattern);
    return err;
}

/* n segments that differ in a number between two texts. */
static int try_repeated(const char *before, const char *after, unsigned n)
{
    char text[512] = "";
    size_t used = 0;

    for (unsigned i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u%s", before, i, after);
    return try_parse(text);
}

static void has_limits(void **state)
{
    char text[PATTERN_BYTES_MAX + 2];
    char host[260];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[PATTERN_BYTES_MAX] = '\0';
    assert_int_equal(try_parse(text), 0);
    text[PATTERN_BYTES_MAX] = 'a';
    text[PATTERN_BYTES_MAX + 1] = '\0';
    assert_int_equal(try_parse(text), -EINVAL);
    memset(host, 'h', sizeof(host));
    strcpy(host + 255, "/");
    assert_int_equal(try_parse(host), 0);
    strcpy(host + 255, "h/");
    assert_int_equal(try_parse(host), -EINVAL);
    assert_int_equal(try_repeated("/s", "", PATTERN_SEGMENTS_MAX), 0);
    assert_int_equal(try_repeated("/s", "", PATTERN_SEGMENTS_MAX + 1), -EINVAL);
    assert_int_equal(try_repeated("/{w", "}", PATTERN_NAMES_MAX), 0);
    assert_int_equal(try_repeated("/{w", "}", PATTERN_NAMES_MAX + 1), -EINVAL);
}

static enum pattern_relation mirrored(enum pattern_relation relation)
{
    if (relation == PATTERN_MORE_SPECIFIC)
        return PATTERN_MORE_GENERAL;
    return relation == PATTERN_MORE_GENERAL ? PATTERN_MORE_SPECIFIC : relation;
}

#define EQ PATTERN_EQUAL
#define SP PATTERN_MORE_SPECIFIC
#define GN PATTERN_MORE_GENERAL
#define DJ PATTERN_DISJOINT
#define OV PATTERN_OVERLAP

static void compares(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        enum pattern_relation relation;
        const char *example;
    } cases[] = {
        /* paths */
        {"/a", "/a", EQ, "GET /a"},
        {"/a", "/%61", EQ, "GET /a"},
        {"/a", "/b", DJ, ""},
        {"/a", "/A", DJ, ""},
        {"/a", "/a/", DJ, ""},
        {"/a", "/a/{$}", DJ, ""},
        {"/a", "/", SP, "GET /a"},
        {"/a", "/{x}", SP, "GET /a"},
        {"/a", "/{x...}", SP, "GET /a"},
        {"/a", "/ab", DJ, ""},
        {"/a/", "/", SP, "GET /a/"},
        {"/a/", "/{x...}", SP, "GET /a/"},
        {"/a/", "/{x}", DJ, ""},
        {"/a/", "/{x}/", SP, "GET /a/"},
        {"/a/", "/{x}/{y}", OV, "GET /a/y"},
        {"/a/", "/{x}/{$}", OV, "GET /a/"},
        {"/a/", "/a/{x...}", EQ, "GET /a/"},
        {"/a/", "/a/{x}", GN, "GET /a/x"},
        {"/a/", "/a/{$}", GN, "GET /a/"},
        {"/a/{$}", "/a/{x}", DJ, ""},
        {"/a/{$}", "/a/b", DJ, ""},
        {"/a/{$}", "/{x}/{$}", SP, "GET /a/"},
        {"/a/{$}", "/{x}/", SP, "GET /a/"},
        {"/{$}", "/", SP, "GET /"},
        {"/{$}", "/{x}", DJ, ""},
        {"/{$}", "/{x...}", SP, "GET /"},
        {"/{x}", "/{y}", EQ, "GET /x"},
        {"/{x}", "/{y...}", SP, "GET /x"},
        {"/{x}", "/{y}/", DJ, ""},
        {"/{x}/b", "/a/{y}", OV, "GET /a/b"},
        {"/{x}/b", "/a/{y}/{z}", DJ, ""},
        {"/{x}/b", "/a/{y...}", OV, "GET /a/b"},
        {"/{x}/b", "/{y...}", SP, "GET /x/b"},
        {"/{x}/b/c", "/a/b/{z}", OV, "GET /a/b/c"},
        {"/{x}/b/{z}", "/a/b/c", GN, "GET /a/b/c"},
        {"/{x}/c", "/a/b", DJ, ""},
        {"/a/{x}/b/{y...}", "/a/{z}/b/{w...}", EQ, "GET /a/x/b/"},
        {"/a/{x}/b/{y...}", "/a/{x}/", SP, "GET /a/x/b/"},
        {"/a/{x}/b/{y...}", "/a/c/", OV, "GET /a/c/b/"},
        {"/a/{x...}", "/a/b/c/d", GN, "GET /a/b/c/d"},
        {"/a/{x...}", "/{y}/b/c/d", OV, "GET /a/b/c/d"},
        {"/a/b/{x...}", "/a/{y}", DJ, ""},
        {"/a/b/{x...}", "/a/c/{x...}", DJ, ""},
        {"/b/{bucket}/o/{name...}", "/b/{bucket}/o/default", GN, "GET /b/bucket/o/default"},
        {"/posts/{id}", "/{resource}/latest", OV, "GET /posts/latest"},
        {"/a%2Fb", "/a/b", DJ, ""},
        {"/a%2Fb%25%20", "/{x}", SP, "GET /a%2Fb%25%20"},
        {"/%2F", "/{$}", DJ, ""},
        /* methods */
        {"GET /a", "GET /a", EQ, "GET /a"},
        {"GET /a", "/a", SP, "GET /a"},
        {"HEAD /a", "/a", SP, "HEAD /a"},
        {"HEAD /a", "GET /a", SP, "HEAD /a"},
        {"POST /a", "GET /a", DJ, ""},
        {"POST /a", "/a", SP, "POST /a"},
        {"POST /a", "HEAD /a", DJ, ""},
        /* both */
        {"GET /a", "/", SP, "GET /a"},
        {"GET /", "/a", OV, "GET /a"},
        {"GET /a", "HEAD /", OV, "HEAD /a"},
        {"GET /", "HEAD /a", GN, "HEAD /a"},
        {"GET /", "POST /a", DJ, ""},
        {"GET /a", "/b", DJ, ""},
        {"GET /{x}/b", "POST /a/{y}", DJ, ""},
        {"GET /a/{x}", "/a/{x}", SP, "GET /a/x"},
        /* hosts */
        {"h/a", "h/a", EQ, "GET h/a"},
        {"h/a", "H./a", EQ, "GET h/a"},
        {"h/a", "i/a", DJ, ""},
        {"h/a", "/a", SP, "GET h/a"},
        {"h/", "/a", SP, "GET h/a"},
        {"h/a", "/b", DJ, ""},
        {"POST h/a", "GET /a", DJ, ""},
        {"h/{x}/b", "/a/{y}", SP, "GET h/a/b"},
        {"h/{x}/b", "h/a/{y}", OV, "GET h/a/b"},
        {"h/{x}/b", "i/a/{y}", DJ, ""},
        {"h/", "POST /", SP, "POST h/"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_pattern *a = parse(cases[i].a);
        struct conf_pattern *b = parse(cases[i].b);
        enum pattern_relation relation = pattern_compare(a, b);
        char example[64];

        if (relation != cases[i].relation || pattern_compare(b, a) != mirrored(relation))
            fail_msg("%s, %s: %d, %d", cases[i].a, cases[i].b, relation, pattern_compare(b, a));
        assert_int_equal(pattern_conflicts(a, b), relation == EQ || relation == OV);
        assert_int_equal(pattern_conflicts(b, a), relation == EQ || relation == OV);
        pattern_example(a, b, example, sizeof(example));
        if (strcmp(example, cases[i].example) != 0)
            fail_msg("%s, %s: \"%s\"", cases[i].a, cases[i].b, example);
        pattern_free(a);
        pattern_free(b);
    }
}

static void example_is_cut_off(void **state)
{
    struct conf_pattern *pattern = parse("h/abc%20/def");

    (void)state;
    for (size_t size = 1; size <= sizeof("GET h/abc%20/def"); size++) {
        char example[32];

        memset(example, '#', sizeof(example));
        pattern_example(pattern, pattern, example, size);
        assert_true(strlen(example) < size);
        assert_memory_equal(example, "GET h/abc%20/def", strlen(example));
        assert_int_equal(example[size], '#');
    }
    pattern_free(pattern);
}

static void knows_methods(void **state)
{
    (void)state;
    for (int i = PATTERN_ANY_METHOD + 1; i < PATTERN_N_METHODS; i++) {
        const char *name = pattern_method_name((enum pattern_method)i);

        assert_int_equal(pattern_method(name, strlen(name)), i);
        assert_int_equal(pattern_method(name, strlen(name) - 1), PATTERN_ANY_METHOD);
        assert_true(i == 1 || strcmp(pattern_method_name((enum pattern_method)(i - 1)), name) < 0);
    }
    assert_int_equal(pattern_method("get", 3), PATTERN_ANY_METHOD);
    assert_int_equal(pattern_method("", 0), PATTERN_ANY_METHOD);
    assert_int_equal(pattern_method("GETS", 4), PATTERN_ANY_METHOD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says),
        cmocka_unit_test(refuses),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(compares),
        cmocka_unit_test(example_is_cut_off),
        cmocka_unit_test(knows_methods),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
