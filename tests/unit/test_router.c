/*
 * Which route takes a request: precedence, wildcards, hosts, methods, and
 * redirects to another path.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/pattern.h"
#include "http/handlers/handler.h"
#include "http/router.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROUTES_MAX   24
#define PATH_SIZE    160

static bool with_chaos(const struct conf *conf)
{
    return conf->chaos.enabled;
}

static const struct handler reads = {.conf.methods = "GET, HEAD"};
static const struct handler writes = {.conf.methods = "POST"};
static const struct handler all = {.conf.methods =
                                       "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, TRACE"};
static const struct handler kills = {.conf.methods = "GET", .exists = with_chaos};

struct row {
    const char *pattern;
    const struct handler *handler;
};

/* A configuration of some routes, and the router made of it. */
struct bench {
    struct conf conf;
    struct conf_route routes[ROUTES_MAX];
    struct router *router;
};

static void set_up(struct bench *bench, const struct row *rows, size_t n)
{
    assert_true(n <= ROUTES_MAX);
    bench->conf.routes = bench->routes;
    bench->conf.n_routes = n;
    for (size_t i = 0; i < n; i++) {
        struct conf_route *route = &bench->routes[i];
        const char *why = "";

        *route = (struct conf_route){.handler = &rows[i].handler->conf};
        if (pattern_parse(rows[i].pattern, &route->parsed, &why) != 0)
            fail_msg("%s: %s", rows[i].pattern, why);
        route->pattern = (char *)(uintptr_t)rows[i].pattern;
        for (size_t j = 0; j < i; j++)
            if (pattern_conflicts(route->parsed, bench->routes[j].parsed))
                fail_msg("%s conflicts with %s", rows[i].pattern, rows[j].pattern);
    }
    assert_int_equal(router_new(&bench->conf, &bench->router), 0);
}

static void tear_down(struct bench *bench)
{
    router_free(bench->router);
    for (size_t i = 0; i < bench->conf.n_routes; i++)
        pattern_free(bench->routes[i].parsed);
}

/* What becomes of a request: its route with the values, where it is sent, what is allowed. */
static void ask(const struct router *router, const char *request, char *answer, size_t size)
{
    char method[16], host[64], path[PATH_SIZE], redirect[ROUTER_REDIRECT_SIZE(PATH_SIZE)];
    struct router_match match;
    int used = 0;

    assert_int_equal(sscanf(request, "%15s %63s %159s", method, host, path), 3);
    struct router_query query = {.method = method,
                                 .host = host,
                                 .host_len = strcmp(host, "-") == 0 ? 0 : strlen(host),
                                 .path = path,
                                 .path_len = strlen(path),
                                 .redirect = redirect,
                                 .redirect_size = ROUTER_REDIRECT_SIZE(strlen(path))};
    switch (router_find(router, &query, &match)) {
    case ROUTER_FOUND:
        used = snprintf(answer, size, "%s", match.route->conf->pattern);
        for (size_t i = 0; i < match.n_values; i++)
            used += snprintf(answer + used, size - (size_t)used, " %s=%.*s", match.values[i].name,
                             (int)match.values[i].len, match.values[i].begin);
        break;
    case ROUTER_REDIRECT:
        assert_int_equal(match.redirect_len, strlen(redirect));
        used = snprintf(answer, size, "-> %s", redirect);
        break;
    case ROUTER_METHOD:
        used = snprintf(answer, size, "405 %s", match.allow);
        break;
    case ROUTER_NOT_FOUND:
        used = snprintf(answer, size, "404");
        break;
    }
    assert_true(used > 0 && (size_t)used < size);
}

/* cases: "METHOD HOST PATH", "-" for no host, and the answer. */
static void check_answers(const struct row *rows, size_t n_rows, const char *const cases[][2],
                          size_t n)
{
    struct bench bench = {.router = NULL};

    set_up(&bench, rows, n_rows);
    for (size_t i = 0; i < n; i++) {
        char answer[512];

        ask(bench.router, cases[i][0], answer, sizeof(answer));
        if (strcmp(answer, cases[i][1]) != 0)
            fail_msg("%s: %s, not %s", cases[i][0], answer, cases[i][1]);
    }
    tear_down(&bench);
}

#define CHECK(rows, cases) check_answers(rows, COUNT(rows), cases, COUNT(cases))

static void most_specific_wins(void **state)
{
    static const struct row rows[] = {
        {"/", &all},          {"/a", &all},          {"/a/", &all},      {"/a/{$}", &all},
        {"/a/b", &all},       {"/a/b/", &all},       {"/{x}", &all},     {"/w/{x}/{y}", &all},
        {"/w/{x}/lit", &all}, {"/w/{x...}", &all},   {"/w/a/c", &all},   {"/e/{$}", &all},
        {"/r/{r...}", &all},  {"/r/{x}/edit", &all}, {"/r/new", &all},   {"/%7Bq%7d", &all},
        {"/a%2Fb", &all},     {"/one/{x}/", &all},   {"/w/a/{$}", &all},
    };
    static const char *const cases[][2] = {
        {"GET - /", "/"},
        {"GET - /a", "/a"},
        {"GET - /a/", "/a/{$}"},
        {"GET - /a/x", "/a/"},
        {"GET - /a/b", "/a/b"},
        {"GET - /a/b/", "/a/b/"},
        {"GET - /a/b/c/d", "/a/b/"},
        {"GET - /a/bc", "/a/"},
        {"GET - /A", "/{x} x=A"},
        {"GET - /x", "/{x} x=x"},
        {"GET - /x/", "/"},
        {"GET - /x/y", "/"},
        {"GET - /{x}", "/{x} x={x}"},
        {"GET - /{q}", "/%7Bq%7d"},
        {"GET - /%7bq%7D", "/%7Bq%7d"},
        {"GET - /%61", "/a"},
        {"GET - /%61/%62", "/a/b"},
        {"GET - /a%2Fb", "/a%2Fb"},
        {"GET - /a%2fb", "/a%2Fb"},
        {"GET - /a%2Fc", "/{x} x=a%2Fc"},
        {"GET - /%2F", "/{x} x=%2F"},
        {"GET - /a/%2F", "/a/"},
        {"GET - /a%252Fb", "/{x} x=a%252Fb"},
        /* back from a literal that leads nowhere */
        {"GET - /w/a/c", "/w/a/c"},
        {"GET - /w/a/d", "/w/{x}/{y} x=a y=d"},
        {"GET - /w/a/lit", "/w/{x}/lit x=a"},
        {"GET - /w/a/c/d", "/w/{x...} x=a/c/d"},
        {"GET - /w/a/c/", "/w/{x...} x=a/c/"},
        {"GET - /w/a/", "/w/a/{$}"},
        {"GET - /w/b/", "/w/{x...} x=b/"},
        {"GET - /w/", "/w/{x...} x="},
        {"GET - /w/b", "/w/{x...} x=b"},
        {"GET - /e/", "/e/{$}"},
        {"GET - /e/x", "/"},
        {"GET - /r/", "/r/{r...} r="},
        {"GET - /r/new", "/r/new"},
        {"GET - /r/1/edit", "/r/{x}/edit x=1"},
        {"GET - /r/1/edits", "/r/{r...} r=1/edits"},
        {"GET - /r/new/edit", "/r/{x}/edit x=new"},
        {"GET - /r/a%2Fb/edit", "/r/{x}/edit x=a%2Fb"},
        {"GET - /one/two/", "/one/{x}/ x=two"},
        {"GET - /one/two/three/4", "/one/{x}/ x=two"},
        {"GET - /one//two", "-> /one/two/"},
    };

    (void)state;
    CHECK(rows, cases);
}

static void redirects_to_the_slash(void **state)
{
    static const struct row rows[] = {
        {"/img/", &all},    {"/end/{$}", &all},       {"/rest/{x...}", &all}, {"/both", &all},
        {"/both/", &all},   {"GET /get/", &all},      {"/v/{x}/deep/", &all}, {"/wild/{x}", &all},
        {"/wild/a/", &all}, {"POST /post/{$}", &all}, {"/reads/", &reads},
    };
    static const char *const cases[][2] = {
        {"GET - /img", "-> /img/"},
        {"POST - /img", "-> /img/"},
        {"GET - /im%67", "-> /im%67/"},
        {"GET - /img/", "/img/"},
        {"GET - /end", "-> /end/"},
        {"GET - /end/x", "404"},
        {"GET - /rest", "-> /rest/"},
        {"GET - /rest/a", "/rest/{x...} x=a"},
        {"GET - /both", "/both"},
        {"GET - /get", "-> /get/"},
        {"HEAD - /get", "-> /get/"},
        {"POST - /get", "405 GET, HEAD, OPTIONS"},
        {"OPTIONS - /get", "405 GET, HEAD, OPTIONS"},
        {"GET - /v/a/deep", "-> /v/a/deep/"},
        {"GET - /v/a%2Fb/deep", "-> /v/a%2Fb/deep/"},
        {"GET - /wild/a", "/wild/{x} x=a"},
        {"GET - /wild/b", "/wild/{x} x=b"},
        {"GET - /post", "405 OPTIONS, POST"},
        {"POST - /post", "-> /post/"},
        {"GET - /reads", "-> /reads/"},
        {"POST - /reads", "405 GET, HEAD, OPTIONS"},
        {"GET - /", "404"},
        {"GET - /imgs", "404"},
        {"CONNECT - /img", "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"},
        {"BREW - /img", "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"},
    };
    static const struct row with_root[] = {
        {"/", &all}, {"/img/", &all}, {"/img/{x}/{$}", &all}, {"/reads/", &reads}};
    static const char *const cases_with_root[][2] = {
        {"GET - /img", "-> /img/"},
        {"GET - /img/a", "-> /img/a/"},
        {"GET - /img/a/b", "/img/"},
        {"GET - /img/a/b/", "/img/"},
        {"GET - /x", "/"},
        {"GET - /x/", "/"},
        {"GET - /reads", "-> /reads/"},
        {"POST - /reads", "/"},
        {"POST - /reads/", "405 GET, HEAD, OPTIONS"},
    };

    /* Browsers take a backslash for a slash. */
    static const struct row wild[] = {{"/{x}/", &all}};
    static const char *const cases_wild[][2] = {
        {"GET - /\\evil.example", "-> /%5Cevil.example/"},
        {"GET - /\xff\"<>", "-> /%FF%22%3C%3E/"},
        {"GET - //evil.example", "-> /evil.example/"},
    };

    (void)state;
    CHECK(rows, cases);
    CHECK(with_root, cases_with_root);
    CHECK(wild, cases_wild);
}

static void redirects_to_the_clean_path(void **state)
{
    static const struct row rows[] = {
        {"/a", &reads},     {"/a/b/", &reads}, {"/{$}", &reads}, {"/.well-known/x", &reads},
        {"/d/{x}", &reads},
    };
    static const char *const cases[][2] = {
        {"GET - //", "-> /"},
        {"GET - ///", "-> /"},
        {"GET - /.", "-> /"},
        {"GET - /..", "-> /"},
        {"GET - /./", "-> /"},
        {"GET - /../", "-> /"},
        {"GET - /a/..", "-> /"},
        {"GET - /a/../", "-> /"},
        {"GET - //a", "-> /a"},
        {"GET - /./a", "-> /a"},
        {"GET - /a/.", "-> /a"},
        {"GET - /../../a", "-> /a"},
        {"GET - /x/../a", "-> /a"},
        {"GET - /x/y/../../a", "-> /a"},
        {"GET - /x/..//./y/../a", "-> /a"},
        {"GET - /%2e/a", "-> /a"},
        {"GET - /x/%2E%2e/a", "-> /a"},
        {"GET - /x/.%2e/a", "-> /a"},
        {"GET - /x/%2e./a", "-> /a"},
        {"GET - /a//b/", "-> /a/b/"},
        {"GET - /a//b/c//", "-> /a/b/c/"},
        {"GET - /a//b", "-> /a/b/"},
        {"GET - //a/%62", "-> /a/%62/"},
        {"GET - //d/%2F", "-> /d/%2F"},
        {"GET - //d/\\", "-> /d/%5C"},
        /* these are names */
        {"GET - /.well-known/x", "/.well-known/x"},
        {"GET - /d/...", "/d/{x} x=..."},
        {"GET - /d/..a", "/d/{x} x=..a"},
        {"GET - /d/a..", "/d/{x} x=a.."},
        {"GET - /d/%2e%2e%2e", "/d/{x} x=%2e%2e%2e"},
        {"GET - /d/%2e%2", "/d/{x} x=%2e%2"},
        {"GET - /d/%2", "/d/{x} x=%2"},
        {"GET - /d/..%2Fa", "/d/{x} x=..%2Fa"},
        {"GET - /d/%2Fa", "/d/{x} x=%2Fa"},
        /* where there is nothing, there is nothing to go to */
        {"GET - //x", "404"},
        {"GET - /a/", "404"},
        {"GET - //a/", "404"},
        {"GET - /d/../x", "404"},
        /* the method is refused there */
        {"POST - //a", "-> /a"},
        {"OPTIONS - //a", "-> /a"},
        {"POST - //x", "404"},
        {"CONNECT - //a", "404"},
        {"OPTIONS - *", "404"},
        {"GET - a", "404"},
    };

    (void)state;
    CHECK(rows, cases);
}

static void tells_methods(void **state)
{
    static const struct row rows[] = {
        {"/reads", &reads},       {"GET /get", &all},        {"POST /get", &all},
        {"HEAD /head", &all},     {"GET /head", &all},       {"/mixed", &writes},
        {"GET /mixed", &reads},   {"OPTIONS /o", &all},      {"/o", &reads},
        {"/all", &all},           {"POST /never", &reads},   {"GET /sub/", &reads},
        {"POST /sub/x", &writes}, {"/fall/", &all},          {"/fall/x", &reads},
        {"PUT /fall/x", &all},    {"DELETE /reads/y", &all},
    };
    static const char *const cases[][2] = {
        {"GET - /reads", "/reads"},
        {"HEAD - /reads", "/reads"},
        {"POST - /reads", "405 GET, HEAD, OPTIONS"},
        {"OPTIONS - /reads", "405 GET, HEAD, OPTIONS"},
        {"get - /reads", "405 GET, HEAD, OPTIONS"},
        {"CONNECT - /reads", "405 GET, HEAD, OPTIONS"},
        {"GET - /get", "GET /get"},
        {"HEAD - /get", "GET /get"},
        {"POST - /get", "POST /get"},
        {"PUT - /get", "405 GET, HEAD, OPTIONS, POST"},
        {"OPTIONS - /get", "405 GET, HEAD, OPTIONS, POST"},
        {"HEAD - /head", "HEAD /head"},
        {"GET - /head", "GET /head"},
        {"GET - /mixed", "GET /mixed"},
        {"HEAD - /mixed", "GET /mixed"},
        {"POST - /mixed", "/mixed"},
        {"PUT - /mixed", "405 GET, HEAD, OPTIONS, POST"},
        {"OPTIONS - /o", "OPTIONS /o"},
        {"PUT - /o", "405 GET, HEAD, OPTIONS"},
        {"OPTIONS - /all", "/all"},
        {"TRACE - /all", "/all"},
        {"PROPFIND - /all", "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"},
        /* the handler takes none of what the pattern lets through */
        {"POST - /never", "405 OPTIONS"},
        {"GET - /never", "405 OPTIONS"},
        /* a method of its own further down, and another above */
        {"GET - /sub/x", "GET /sub/"},
        {"POST - /sub/x", "POST /sub/x"},
        {"PUT - /sub/x", "405 GET, HEAD, OPTIONS, POST"},
        {"POST - /sub/z", "405 GET, HEAD, OPTIONS"},
        /* the more specific route is the one that refuses */
        {"PUT - /fall/x", "PUT /fall/x"},
        {"POST - /fall/x", "405 GET, HEAD, OPTIONS, PUT"},
        {"POST - /fall/y/z", "/fall/"},
        {"DELETE - /reads/y", "DELETE /reads/y"},
        {"GET - /reads/y", "405 DELETE, OPTIONS"},
        {"GET - /nothing", "404"},
        {"OPTIONS - /nothing", "404"},
        {"BREW - /nothing", "404"},
    };

    (void)state;
    CHECK(rows, cases);
}

static void prefers_the_host(void **state)
{
    static const struct row rows[] = {
        {"/", &reads},           {"/a", &reads},           {"example.com/", &reads},
        {"example.com/b", &all}, {"[::1]/", &reads},       {"GET b.example.com/a", &reads},
        {"10.0.0.1/{x}", &all},  {"example.org/s/", &all}, {"c.example.com./", &reads},
    };
    static const char *const cases[][2] = {
        {"GET - /a", "/a"},
        {"GET other /a", "/a"},
        {"GET example.com /a", "example.com/"},
        {"GET EXAMPLE.Com /a", "example.com/"},
        {"GET example.com:8080 /a", "example.com/"},
        {"GET example.com. /a", "example.com/"},
        {"GET example.com.:80 /a", "example.com/"},
        {"GET example.com.. /a", "/a"},
        {"GET xexample.com /a", "/a"},
        {"GET example.co /a", "/a"},
        {"GET . /a", "/a"},
        {"GET : /a", "/a"},
        {"GET example.com /b", "example.com/b"},
        {"POST example.com /b", "example.com/b"},
        {"POST example.com /c", "405 GET, HEAD, OPTIONS"},
        {"GET [::1] /a", "[::1]/"},
        {"GET [::1]:443 /a", "[::1]/"},
        {"GET [::2]:443 /a", "/a"},
        {"GET [::1 /a", "/a"},
        {"GET ::1 /a", "/a"},
        {"GET b.example.com /a", "GET b.example.com/a"},
        {"GET b.example.com /b", "/"},
        {"GET 10.0.0.1:80 /q", "10.0.0.1/{x} x=q"},
        {"GET 10.0.0.1:80 /q/r", "/"},
        {"GET example.org /s", "-> /s/"},
        {"GET example.net /s", "/"},
        {"PUT example.org /x", "405 GET, HEAD, OPTIONS"},
        {"PUT example.org /s", "-> /s/"},
        {"GET C.example.com /a", "c.example.com./"},
        {"GET c.example.com.:1 /a", "c.example.com./"},
    };

    (void)state;
    CHECK(rows, cases);
}

static void some_handlers_do_not_exist(void **state)
{
    static const struct row rows[] = {{"/chaos", &kills}, {"/", &reads}};
    struct bench bench = {.router = NULL};
    char answer[64];

    (void)state;
    set_up(&bench, rows, COUNT(rows));
    ask(bench.router, "GET - /chaos", answer, sizeof(answer));
    assert_string_equal(answer, "/");
    tear_down(&bench);
    bench.conf.chaos.enabled = true;
    set_up(&bench, rows, COUNT(rows));
    ask(bench.router, "GET - /chaos", answer, sizeof(answer));
    assert_string_equal(answer, "/chaos");
    ask(bench.router, "HEAD - /chaos", answer, sizeof(answer));
    assert_string_equal(answer, "405 GET, OPTIONS");
    tear_down(&bench);
    router_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_specific_wins),
        cmocka_unit_test(redirects_to_the_slash),
        cmocka_unit_test(redirects_to_the_clean_path),
        cmocka_unit_test(tells_methods),
        cmocka_unit_test(prefers_the_host),
        cmocka_unit_test(some_handlers_do_not_exist),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
