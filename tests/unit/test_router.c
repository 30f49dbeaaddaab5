/*
 * Patterns, methods, and which of the routes takes a path.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "http/handlers/handler.h"
#include "http/router.h"

static void matches_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool matches;
    } cases[] = {
        {"/", "/", true},        {"/", "/a", true},         {"/", "/a/b/", true},
        {"/{$}", "/", true},     {"/{$}", "/a", false},     {"/{$}", "", false},
        {"/{$}", "/{$}", false}, {"/a", "/a", true},        {"/a", "/a/", false},
        {"/a", "/ab", false},    {"/a", "/A", false},       {"/a", "/", false},
        {"/a", "", false},       {"/a/", "/a/", true},      {"/a/", "/a/b", true},
        {"/a/", "/a/b/c", true}, {"/a/", "/a//", true},     {"/a/", "/a", false},
        {"/a/", "/ab", false},   {"/a/", "/b/a/", false},   {"/a/{$}", "/a/", true},
        {"/a/{$}", "/a", false}, {"/a/{$}", "/a/b", false}, {"/a/{$}", "/b/", false},
        {"/a b", "/a b", true},  {"/a/{x}", "/a/b", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (router_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("%s %s %s", cases[i].pattern, cases[i].matches ? "refuses" : "takes",
                     cases[i].path);
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
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (router_allows(cases[i].methods, cases[i].method) != cases[i].allows)
            fail_msg("\"%s\", \"%s\"", cases[i].methods, cases[i].method);
}

static char patterns[][16] = {"/", "/a/b/", "/a", "/a/", "/a/{$}", "/a/b", "/chaos", "/{$}"};

#define N_ROUTES (sizeof(patterns) / sizeof(patterns[0]))

/* Routes of every kind, one of them of a handler that exists only with chaos. */
static struct router *make_router(struct conf *conf, struct conf_route routes[N_ROUTES])
{
    struct router *router = NULL;

    for (size_t i = 0; i < N_ROUTES; i++)
        routes[i] = (struct conf_route){patterns[i], &handler_text.conf, NULL};
    routes[6].handler = &handler_worker_killer.conf;
    conf->routes = routes;
    conf->n_routes = N_ROUTES;
    assert_int_equal(router_new(conf, &router), 0);
    return router;
}

static void check_find(const struct router *router, const char *path, const char *pattern)
{
    const struct route *route = router_find(router, path);

    if (route == NULL || strcmp(route->conf->pattern, pattern) != 0)
        fail_msg("%s: %s", path, route != NULL ? route->conf->pattern : "no route");
}

static void longest_pattern_wins(void **state)
{
    static const struct {
        const char *path;
        const char *pattern;
    } cases[] = {
        {"/", "/{$}"},    {"/x", "/"},      {"/a", "/a"},       {"/a/", "/a/{$}"},
        {"/a/x", "/a/"},  {"/a/b", "/a/b"}, {"/a/b/", "/a/b/"}, {"/a/b/c/d", "/a/b/"},
        {"/a/bc", "/a/"}, {"/ab", "/"},     {"/chaos/x", "/"},
    };
    struct conf conf = {.n_routes = 0};
    struct conf_route routes[N_ROUTES];
    struct router *router = make_router(&conf, routes);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_find(router, cases[i].path, cases[i].pattern);
    assert_ptr_equal(router_find(router, "/a")->handler, &handler_text);
    router_free(router);
}

static void some_handlers_exist_only_with_chaos(void **state)
{
    struct conf conf = {.n_routes = 0};
    struct conf_route routes[N_ROUTES];
    struct router *router = make_router(&conf, routes);

    (void)state;
    check_find(router, "/chaos", "/");
    router_free(router);
    conf.chaos.enabled = true;
    router = make_router(&conf, routes);
    check_find(router, "/chaos", "/chaos");
    assert_ptr_equal(router_find(router, "/chaos")->handler, &handler_worker_killer);
    router_free(router);
}

static void finds_nothing(void **state)
{
    struct conf conf = {.n_routes = 0};
    struct conf_route route = {patterns[2], &handler_health.conf, NULL};
    struct router *router = NULL;

    (void)state;
    assert_int_equal(router_new(&conf, &router), 0);
    assert_null(router_find(router, "/"));
    router_free(router);
    conf.routes = &route;
    conf.n_routes = 1;
    assert_int_equal(router_new(&conf, &router), 0);
    assert_null(router_find(router, "/"));
    assert_null(router_find(router, "/a/"));
    assert_non_null(router_find(router, "/a"));
    router_free(router);
    router_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(allows_methods),
        cmocka_unit_test(longest_pattern_wins),
        cmocka_unit_test(some_handlers_exist_only_with_chaos),
        cmocka_unit_test(finds_nothing),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
