/*
 * Routes in the configuration: their patterns and which of them conflict, the
 * attributes of all, and what handlers have to say about their own keys.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/pattern.h"
#include "conf_fixture.h"

static void has_the_attributes(void **state)
{
    static const struct conf_row rows[] = {
        {.lines = {"route \"/hello\": timeout_ms = \"0\"  # built-in",
                   "route \"/hello\": timeout_text = \"503 Service Unavailable: this took too "
                   "long\\x0a\"  # built-in",
                   "route \"/hello\": max_body = \"inherit\"  # built-in",
                   "route \"/hello\": allow = {}  # built-in",
                   "route \"/hello\": deny = {}  # built-in",
                   "route \"/hello\": headers = {}  # built-in",
                   "route \"/hello\": access_log = \"yes\"  # built-in"}},
        {.base = "route '/x' { handler = json timeout_ms = 86400000 timeout_text = ''\n"
                 "max_body = 64k allow = { 10.0.0.0/8, unix } deny = 10.1.0.0/16\n"
                 "headers = { 'X-A: b', \"X-B: c\" } access_log = no }",
         .lines = {"route \"/x\": timeout_ms = \"86400000\"  # @/a.conf:1",
                   "route \"/x\": timeout_text = \"\"  # @/a.conf:1",
                   "route \"/x\": max_body = \"64K\"  # @/a.conf:2",
                   "route \"/x\": allow = { \"10.0.0.0/8\", \"unix\" }  # @/a.conf:2",
                   "route \"/x\": deny = { \"10.1.0.0/16\" }  # @/a.conf:2",
                   "route \"/x\": headers = { \"X-A: b\", \"X-B: c\" }  # @/a.conf:3",
                   "route \"/x\": access_log = \"no\"  # @/a.conf:3"}},
        {.base = "route '/hello' { max_body = 0 }",
         .words = {"-o", "route./hello.max_body=inherit"},
         .lines = {"route \"/hello\": max_body = \"inherit\"  # -o"}},
        /* Another handler makes void what earlier sources said, attributes included. */
        {.base = "route '/hello' { max_body = 0 }",
         .overlay = "route '/hello' { handler = json }",
         .lines = {"route \"/hello\": max_body = \"inherit\"  # built-in"}},
    };
    struct conf *conf = NULL;
    char error[CONF_ERROR_SIZE];

    (void)state;
    RUN_ROWS(rows);
    fixture_put("a.conf", "route '/a' { handler = json max_body = 0 }\n"
                          "route '/b' { handler = json headers = { 'X-A: b' } }");
    assert_int_equal(fixture_load_file("a.conf", &conf, error), 0);
    assert_int_equal(conf->n_routes, 6);
    assert_int_equal(conf->routes[4].max_body, 0);
    assert_int_equal(conf->routes[5].max_body, CONF_INHERIT);
    assert_int_equal(conf->routes[5].headers.n, 1);
    assert_true(conf->routes[5].access_log);
    assert_int_equal(conf->routes[5].parsed->n_segments, 1);
    conf_free(conf);
}

static void refuses_bad_attributes(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "route '/x' { handler = json\nmax_body = inherits }",
         .error = "@/a.conf:2: route \"/x\": max_body: 'inherits' is not a size from 0 to 1G, in "
                  "bytes or with K, M or G"},
        {.base = "route '/x' { handler = json\nheaders = { 'A: b',\n'Date: x' } }",
         .error = "@/a.conf:2: route \"/x\": headers: the field 'Date' is made by the server"},
        {.base = "route '/x' { handler = json\nheaders = { 'A: ${X}' } }",
         .lines = {"route \"/x\": headers = { \"A: \\${X}\" }  # @/a.conf:2"}},
        {.base = "route '/x' { handler = json allow = { everybody } }",
         .error = "@/a.conf:1: route \"/x\": allow: 'everybody': *"},
        {.base = "route '/x' { handler = json timeout_ms = -1 }",
         .error = "@/a.conf:1: route \"/x\": timeout_ms: '-1' is not a whole number from 0 to "
                  "86400000"},
        {.base = "route '/x' { handler = json access_log = off2 }",
         .error = "@/a.conf:1: route \"/x\": access_log: 'off2' is not yes or no"},
        {.base = "\nhttp { hosts = { a, 'a:80' } }",
         .error = "@/a.conf:2: http.hosts: 'a:80' is not a host name without a port"},
        {.base = "http { hosts = { 'a b' } }",
         .error = "@/a.conf:1: http.hosts: 'a b' is not a host name without a port"},
        {.base = "http { hosts = { a, '' } }",
         .error = "@/a.conf:1: http.hosts: '' has 0 bytes, it must have 1 to 255"},
        {.base = "access_log { format = '' }",
         .error = "@/a.conf:1: access_log.format: the value is empty"},
    };

    (void)state;
    RUN_ROWS(rows);
}

/* What each says is pattern_parse()'s; here it gets a place. */
static void refuses_bad_patterns(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "\nroute 'x' { handler = json }",
         .error = "@/a.conf:2: route \"x\": there is no path, which begins with '/'"},
        {.base = "route '' { handler = json }",
         .error = "@/a.conf:1: route \"\": there is no path, which begins with '/'"},
        {.base = "route 'get /x' { handler = json }",
         .error = "@/a.conf:1: route \"get /x\": the method is none of DELETE, GET, HEAD, OPTIONS, "
                  "PATCH, POST, PUT and TRACE"},
        {.base = "route 'localhost:80/' { handler = json }",
         .error = "@/a.conf:1: route \"localhost:80/\": the host of a pattern has no port"},
        {.base = "route '/{a}/{a}' { handler = json }",
         .error = "@/a.conf:1: route \"/{a}/{a}\": the same name twice"},
        {.base = "route '/{$}/a' { handler = json }",
         .error = "@/a.conf:1: route \"/{$}/a\": {$} can be at the end only"},
        {.words = {"-o", "route./a?b.handler=json"},
         .error = "-o: route \"/a?b\": a pattern has no query and no fragment"},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void refuses_conflicts(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "route '/a/{x}' { handler = json }\n\nroute '/{y}/b' { handler = json }",
         .error =
             "@/a.conf:3: route \"/{y}/b\" conflicts with route \"/a/{x}\" at @/a.conf:1: both "
             "match \"GET /a/b\", and neither is more specific"},
        {.base = "route '/{x}' { handler = json }\nroute '/{y}' { handler = text }",
         .error = "@/a.conf:2: route \"/{y}\" conflicts with route \"/{x}\" at @/a.conf:1: both "
                  "match \"GET /y\", and neither is more specific"},
        {.base = "route 'POST /{x}' { handler = json }",
         .overlay = "\nroute '/a' { handler = json }",
         .error = "@/over.conf:2: route \"/a\" conflicts with route \"POST /{x}\" at @/a.conf:1: "
                  "both match \"POST /a\", and neither is more specific"},
        {.base = "route 'a.test/{x}' { handler = json }\nroute 'A.test/{y}' { handler = json }",
         .error = "@/a.conf:2: route \"A.test/{y}\" conflicts with route \"a.test/{x}\" at "
                  "@/a.conf:1: both match \"GET a.test/*"},
        /* Said anew, a built-in one is not built in any more. */
        {.base = "route '/hello' { body = x }\nroute 'GET /{x}' { handler = json }",
         .error = "@/a.conf:2: route \"GET /{x}\" conflicts with route \"/hello\" at @/a.conf:1: "
                  "both match \"GET /hello\", and neither is more specific"},
        {.base = "include('other.conf')\nroute '/a/{x}' { handler = json }",
         .other = "\n\nroute '/{y}/b' { handler = json }",
         .error = "@/a.conf:2: route \"/a/{x}\" conflicts with route \"/{y}/b\" at @/other.conf:3: "
                  "*"},
        {.base = "route '/a/{x}' { handler = json }",
         .words = {"-o", "route./{y}/b.handler=json"},
         .error = "-o: route \"/{y}/b\" conflicts with route \"/a/{x}\" at @/a.conf:1: *"},
        {.base = "route '/a/{x}' { handler = json }\nroute '/a/b' { handler = json }\n"
                 "route 'GET /a/b' { handler = json }\nroute 'b.test/{y}/b' { handler = json }\n"
                 "route '/' { handler = json }",
         .lines = {"route \"/a/{x}\" {  # @/a.conf:1", "route \"GET /a/b\" {  # @/a.conf:3",
                   "route \"b.test/{y}/b\" {  # @/a.conf:4", "route \"/\" {  # @/a.conf:5"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void lets_built_in_routes_give_way(void **state)
{
    static const struct conf_row rows[] = {
        /* More general is no conflict, but nobody expects the page of "/{$}" within "/". */
        {.base = "route '/' { handler = json }",
         .lines = {"!route \"/{$}\" {  # built-in", "route \"/hello\" {  # built-in",
                   "route \"/healthcheck\" {  # built-in", "route \"/workerKiller\" {  # built-in",
                   "route \"/\" {  # @/a.conf:1"}},
        {.base = "route '/{$}' { handler = text }\nroute '/' { handler = json }",
         .lines = {"route \"/{$}\" {  # @/a.conf:1", "route \"/\" {  # @/a.conf:2"}},
        {.base = "route '/{rest...}' { handler = json }",
         .lines = {"!route \"/{$}\" {  # built-in", "route \"/hello\" {  # built-in",
                   "route \"/{rest...}\" {  # @/a.conf:1"}},
        {.base = "route 'a.test/' { handler = json }",
         .lines = {"route \"/{$}\" {  # built-in", "route \"a.test/\" {  # @/a.conf:1"}},
        {.base = "route 'GET /hello' { handler = text }",
         .lines = {"!route \"/hello\" {  # built-in", "route \"GET /hello\" {  # @/a.conf:1"}},
        {.base = "route 'POST /hello' { handler = json }",
         .lines = {"route \"/hello\" {  # built-in", "route \"POST /hello\" {  # @/a.conf:1"}},
        /* The killer takes POST as well as GET; for GET this is more specific than that. */
        {.base = "route 'GET /' { handler = json }",
         .lines = {"!route \"/{$}\" {  # built-in", "route \"/hello\" {  # built-in",
                   "route \"/healthcheck\" {  # built-in", "!route \"/workerKiller\" {  # built-in",
                   "route \"GET /\" {  # @/a.conf:1"}},
        {.base = "route 'POST /{x}' { handler = json }",
         .lines = {"route \"/{$}\" {  # built-in", "route \"/hello\" {  # built-in",
                   "route \"/healthcheck\" {  # built-in", "!route \"/workerKiller\" {  # built-in",
                   "route \"POST /{x}\" {  # @/a.conf:1"}},
        /* The same requests, written otherwise. */
        {.base = "route '/%68ello' { handler = json }",
         .lines = {"!route \"/hello\" {  # built-in", "route \"/%68ello\" {  # @/a.conf:1",
                   "route \"/healthcheck\" {  # built-in"}},
        {.words = {"-o", "route.GET /{x}.handler=json"},
         .lines = {"route \"/hello\" {  # built-in", "route \"/{$}\" {  # built-in",
                   "!route \"/workerKiller\" {  # built-in", "route \"GET /{x}\" {  # -o"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

static void asks_the_handlers(void **state)
{
    static const struct conf_row rows[] = {
        {.base = "\nroute '/x' {\nhandler = redirect\nto = x }",
         .error = "@/a.conf:2: route \"/x\": to: neither a path nor an http or https URL"},
        {.base = "route '/x' { handler = redirect to = '//evil.test/' }",
         .error = "@/a.conf:1: route \"/x\": to: a path begins with one slash only"},
        {.base = "route '/x' { handler = redirect to = 'http://a b/' }",
         .error = "@/a.conf:1: route \"/x\": to: *"},
        {.base = "route '/x' { handler = redirect }",
         .error = "@/a.conf:1: route \"/x\": to is missing"},
        {.base = "route '/x' { handler = redirect to = / status = 304 }",
         .error = "@/a.conf:1: route \"/x\": status: '304' is not one of 301, 302, 303, 307, 308"},
        {.base = "route '/x' { handler = files }",
         .error = "@/a.conf:1: route \"/x\": root is missing"},
        {.base = "route '/x' { handler = files root = . fallback = /index.html }",
         .error = "@/a.conf:1: route \"/x\": fallback: it is a file below root, without a slash in "
                  "front"},
        {.base = "route '/x' { handler = files root = . index = { ../x } }",
         .error = "@/a.conf:1: route \"/x\": index: *"},
        {.base = "route '/x' { handler = files root = . types = { wasm } }",
         .error = "@/a.conf:1: route \"/x\": types: *"},
        {.base = "route '/x' { handler = files root = . cache_control = \"a\\nb\" }",
         .error = "@/a.conf:1: route \"/x\": cache_control: it has control characters"},
        {.base = "route '/x' { handler = json delay_ms = 1 }",
         .error = "@/a.conf:1: route \"/x\": delay_ms is not an option of handler json"},
        {.base = "route '/x' { handler = files root = w index = {} types = { 'a b/c' } }",
         .lines = {"route \"/x\": root = \"@/w\"  # @/a.conf:1",
                   "route \"/x\": index = {}  # @/a.conf:1",
                   "route \"/x\": types = { \"a b/c\" }  # @/a.conf:1",
                   "route \"/x\": symlinks = \"beneath\"  # built-in"}},
        {.base = "route '/' { handler = proxy }",
         .error = "@/a.conf:1: route \"/\": upstream: it is missing, and proxy_to as well"},
        {.base = "route '/' { handler = proxy upstream = a proxy_to = 'http://a' }",
         .error = "@/a.conf:1: route \"/\": proxy_to: there is an upstream already"},
        {.base = "route '/' { handler = proxy upstream = a }",
         .error = "@/a.conf:1: route \"/\": upstream: there is no upstream \"a\""},
        {.base = "route '/' { handler = proxy proxy_to = 'http://a?b' }",
         .error = "@/a.conf:1: route \"/\": proxy_to: it has a query or a fragment"},
        {.base = "route '/' { handler = proxy proxy_to = 'http://a' headers_up = { 'hOST: b' } }",
         .error = "@/a.conf:1: route \"/\": headers_up: Host, traceparent and what is about the "
                  "client, the body or the "
                  "connection are written by the proxy itself"},
        {.base = "route '/x/' { handler = redirect to = 'https://a.test' status = 308 }",
         .lines = {"route \"/x/\": to = \"https://a.test\"  # @/a.conf:1",
                   "route \"/x/\": status = \"308\"  # @/a.conf:1",
                   "route \"/x/\": keep_path = \"no\"  # built-in"}},
    };

    (void)state;
    RUN_ROWS(rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_the_attributes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_attributes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_patterns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses_conflicts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lets_built_in_routes_give_way, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(asks_the_handlers, fixture_setup, fixture_teardown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
