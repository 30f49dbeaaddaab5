/*
 * The router with one route: whose bytes it reads and writes, and what it
 * tells about the pieces of a path.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/pattern.h"
#include "http/handlers/handler.h"
#include "conf/schema.h"
#include "http/router.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct handler all = {.conf.methods =
                                       "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, TRACE"};

struct bench {
    struct conf_route route;
    struct conf conf;
    struct router *router;
};

static void set_up(struct bench *bench, const char *pattern)
{
    const char *why = NULL;

    *bench = (struct bench){.route = {.handler = &all.conf}};
    assert_int_equal(pattern_parse(pattern, &bench->route.parsed, &why), 0);
    bench->conf.routes = &bench->route;
    bench->conf.n_routes = 1;
    assert_int_equal(router_new(&bench->conf, &bench->router), 0);
}

static void tear_down(struct bench *bench)
{
    router_free(bench->router);
    pattern_free(bench->route.parsed);
}

static void redirect_needs_room(void **state)
{
    static const char *const cases[][2] = {
        {"/a/b", "/a/b/"}, {"//a/b/", "/a/b/"}, {"/\\/b", "/%5C/b/"}, {"/\\//\\/", "/%5C/%5C/"}};
    struct bench bench;
    char redirect[64];

    (void)state;
    set_up(&bench, "/{x}/{y}/");
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = strlen(cases[i][0]), enough = strlen(cases[i][1]) + 1;
        bool found = false;

        for (size_t size = 0; size <= ROUTER_REDIRECT_SIZE(len); size++) {
            struct router_query query = {.method = "GET",
                                         .path = cases[i][0],
                                         .path_len = len,
                                         .redirect = redirect,
                                         .redirect_size = size};
            struct router_match match;

            memset(redirect, '#', sizeof(redirect));
            found = router_find(bench.router, &query, &match) == ROUTER_REDIRECT;
            assert_int_equal(redirect[size], '#');
            assert_false(found && size < enough);
            if (found)
                assert_string_equal(redirect, cases[i][1]);
        }
        assert_true(found);
    }
    tear_down(&bench);
}

static enum router_result find(const struct bench *bench, const char *host, const char *path,
                               size_t len, struct router_match *ret)
{
    struct router_query query = {.method = "GET",
                                 .host = host,
                                 .host_len = host != NULL ? strlen(host) : 0,
                                 .path = path,
                                 .path_len = len};

    return router_find(bench->router, &query, ret);
}

static void path_needs_no_nul(void **state)
{
    struct bench bench;
    struct router_match match;

    (void)state;
    set_up(&bench, "/ab/{x}");
    assert_int_equal(find(&bench, NULL, "/ab/cd?/e", 6, &match), ROUTER_FOUND);
    assert_int_equal(match.n_values, 1);
    assert_int_equal(match.values[0].len, 2);
    assert_int_equal(find(&bench, NULL, "/ab/cd", 3, &match), ROUTER_NOT_FOUND);
    assert_int_equal(find(&bench, NULL, "/ab/cd", 0, &match), ROUTER_NOT_FOUND);
    tear_down(&bench);
}

static void a_host_may_be_of_any_length(void **state)
{
    struct bench bench;
    struct router_match match;
    char host[600];

    (void)state;
    set_up(&bench, "h/");
    memset(host, 'h', sizeof(host));
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(find(&bench, host, "/", 1, &match), ROUTER_NOT_FOUND);
    assert_int_equal(find(&bench, "", "/", 1, &match), ROUTER_NOT_FOUND);
    assert_int_equal(find(&bench, NULL, "/", 1, &match), ROUTER_NOT_FOUND);
    assert_int_equal(find(&bench, host + sizeof(host) - 2, "/", 1, &match), ROUTER_FOUND);
    tear_down(&bench);
}

/* A literal is never longer than a pattern; what a client sends may be. */
static void a_segment_may_be_of_any_length(void **state)
{
    struct bench bench;
    struct router_match match;
    char path[4096];

    (void)state;
    memset(path, 'a', sizeof(path));
    memcpy(path, "/%61", 4);
    set_up(&bench, "/a");
    assert_int_equal(find(&bench, NULL, path, sizeof(path), &match), ROUTER_NOT_FOUND);
    assert_int_equal(find(&bench, NULL, path, 4, &match), ROUTER_FOUND);
    tear_down(&bench);
    set_up(&bench, "/{x}");
    assert_int_equal(find(&bench, NULL, path, sizeof(path), &match), ROUTER_FOUND);
    assert_int_equal(match.values[0].len, sizeof(path) - 1);
    tear_down(&bench);
}

/* As many wildcards as a pattern may have. */
static void gives_all_values(void **state)
{
    struct bench bench;
    struct router_match match;
    const char *path = "/0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/";

    (void)state;
    set_up(&bench, "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p...}");
    assert_int_equal(find(&bench, NULL, path, strlen(path), &match), ROUTER_FOUND);
    assert_int_equal(match.n_values, PATTERN_NAMES_MAX);
    assert_string_equal(match.values[3].name, "d");
    assert_memory_equal(match.values[3].begin, "3", match.values[3].len);
    assert_string_equal(match.values[15].name, "p");
    assert_string_equal(match.values[15].begin, "15/16/");
    assert_int_equal(match.values[15].len, 6);
    tear_down(&bench);
}

static void tells_what_is_below(void **state)
{
    static const char *const cases[][3] = {
        {"/", "/", ""},
        {"/", "/a/b", "a/b"},
        {"/img/", "/img/", ""},
        {"/img/", "/img/a/b.png", "a/b.png"},
        {"/img/{rest...}", "/img/a%2Fb/c/", "a%2Fb/c/"},
        {"/{x}/{y}/", "/a/b/c", "c"},
        {"/a", "/a", "a"},
        {"/a/b", "/a/%62", "%62"},
        {"/a/{x}", "/a/b", "b"},
        {"/a/{$}", "/a/", ""},
        {"/{$}", "/", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *path = cases[i][1];
        struct bench bench;
        struct router_match match;
        struct router_value below;

        set_up(&bench, cases[i][0]);
        assert_int_equal(find(&bench, NULL, path, strlen(path), &match), ROUTER_FOUND);
        below = router_below(match.route, path, strlen(path));
        if (strcmp(below.begin, cases[i][2]) != 0 || below.len != strlen(cases[i][2]))
            fail_msg("%s, %s: %s", cases[i][0], path, below.begin);
        tear_down(&bench);
    }
}

static void decodes_values(void **state)
{
    struct router_value value = {.name = "x", .begin = "%41%2Fb/c", .len = 7};
    char buf[16];
    size_t len = 0;

    (void)state;
    assert_int_equal(router_value_decode(&value, buf, value.len + 1, &len), 0);
    assert_string_equal(buf, "A/b");
    assert_int_equal(len, 3);
    assert_int_equal(router_value_decode(&value, buf, 4, &len), 0);
    assert_int_equal(router_value_decode(&value, buf, 3, &len), -ENOSPC);
    value.len = 5;
    assert_int_equal(router_value_decode(&value, buf, sizeof(buf), &len), -EINVAL);
}

static void allows_methods(void **state)
{
    static const struct {
        const char *methods;
        const char *method;
        bool allows;
    } cases[] = {
        {"GET, HEAD", "GET", true}, {"GET, HEAD", "HEAD", true},       {"GET,HEAD", "HEAD", true},
        {"GET", "GET", true},       {"GET, HEAD", "POST", false},      {"GET, HEAD", "get", false},
        {"GET, HEAD", "GE", false}, {"GET, HEAD", "GETS", false},      {"GET, HEAD", "EAD", false},
        {"GET, HEAD", "", false},   {"GET, HEAD", "GET, HEAD", false}, {"", "GET", false},
        {"GETS, GET", "GET", true}, {"GET, HEAD, POST", "POST", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (conf_methods_have(cases[i].methods, cases[i].method) != cases[i].allows)
            fail_msg("\"%s\", \"%s\"", cases[i].methods, cases[i].method);
}

/* Two names for one pattern: the configuration refuses that, the router has to decide. */
static void the_first_of_equals_counts(void **state)
{
    struct bench bench;
    struct conf_route routes[2];
    struct router_match match;

    (void)state;
    set_up(&bench, "/a");
    routes[0] = routes[1] = bench.route;
    bench.conf.routes = routes;
    bench.conf.n_routes = COUNT(routes);
    router_free(bench.router);
    assert_int_equal(router_new(&bench.conf, &bench.router), 0);
    assert_int_equal(find(&bench, NULL, "/a", 2, &match), ROUTER_FOUND);
    assert_ptr_equal(match.route->conf, &routes[0]);
    tear_down(&bench);
}

static void no_routes(void **state)
{
    struct bench bench = {.router = NULL};
    struct router_match match;

    (void)state;
    assert_int_equal(router_new(&bench.conf, &bench.router), 0);
    assert_int_equal(find(&bench, "h", "/", 1, &match), ROUTER_NOT_FOUND);
    router_free(bench.router);
    router_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirect_needs_room),
        cmocka_unit_test(path_needs_no_nul),
        cmocka_unit_test(a_host_may_be_of_any_length),
        cmocka_unit_test(a_segment_may_be_of_any_length),
        cmocka_unit_test(gives_all_values),
        cmocka_unit_test(tells_what_is_below),
        cmocka_unit_test(decodes_values),
        cmocka_unit_test(allows_methods),
        cmocka_unit_test(the_first_of_equals_counts),
        cmocka_unit_test(no_routes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
