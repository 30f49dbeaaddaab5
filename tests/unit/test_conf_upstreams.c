/*
 * Upstreams: what the sections come to, what is refused, and how handlers find
 * the upstream that their settings name, with a handler of the test's own.
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

#include "conf/upstream.h"
#include "conf/url.h"
#include "conf_fixture.h"

struct pass_settings {
    char *upstream;
    char *to;
};

static const struct conf_option pass_options[] = {
    {.key = "upstream",
     .type = CONF_TEXT,
     .offset = offsetof(struct pass_settings, upstream),
     .max = 100,
     .fallback = "",
     .help = "x"},
    {.key = "to",
     .type = CONF_TEXT,
     .offset = offsetof(struct pass_settings, to),
     .max = 2000,
     .fallback = "",
     .help = "x"},
    {.key = NULL}};

static int pass_resolve(struct conf *conf, void *settings, char *why)
{
    const struct pass_settings *pass = settings;
    const char *reason;
    struct url url;

    if (pass->to[0] == '\0')
        return conf_upstream_require(conf, "upstream", pass->upstream, why);
    if (url_parse(pass->to, &url, &reason) < 0)
        return conf_value_refuse(why, "to: %s", reason);
    return conf_upstream_add_implicit(conf, "to", url.host_port, why);
}

static const struct conf_handler pass = {.name = "pass",
                                         .methods = "GET, HEAD",
                                         .options = pass_options,
                                         .settings_size = sizeof(struct pass_settings),
                                         .resolve = pass_resolve};
static const struct conf_handler identity = {.name = "identity", .methods = "GET, HEAD"};
static const struct conf_handler text = {.name = "text", .methods = "GET, HEAD"};
static const struct conf_handler health = {.name = "health", .methods = "GET, HEAD"};
static const struct conf_handler killer = {.name = "worker_killer", .methods = "GET, POST"};
static const struct conf_handler *const handlers[] = {&pass,   &identity, &text,
                                                      &health, &killer,   NULL};

/* Load the content as a.conf with these handlers. */
static int load(const char *content, struct conf **ret_conf, char error[CONF_ERROR_SIZE])
{
    char path[128];
    struct conf_args args = {.file = path};

    fixture_put("a.conf", content);
    (void)snprintf(path, sizeof(path), "%s/a.conf", fixture_folder());
    return conf_load(&args, handlers, ret_conf, error);
}

static struct conf *must_load(const char *content)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;

    if (load(content, &conf, error) < 0)
        fail_msg("%s", error);
    return conf;
}

/* Loading fails at the line of a.conf with what comes behind it. */
static void must_fail(const char *content, const char *place_and_what)
{
    char error[CONF_ERROR_SIZE] = "", expected[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    int rc = load(content, &conf, error);

    (void)snprintf(expected, sizeof(expected), "%s/a.conf:%s", fixture_folder(), place_and_what);
    if (rc == 0)
        fail_msg("loads: %s", content);
    assert_int_equal(rc, -EINVAL);
    assert_string_equal(error, expected);
}

static void fills_the_structs(void **state)
{
    struct conf *conf = must_load(
        "upstream 'api.v-2_X' { balance = random_two keepalive = 0 keepalive_idle_ms = 2\n"
        "keepalive_requests = 3 connect_timeout_ms = 4 send_timeout_ms = 5 read_timeout_ms = 6\n"
        "next_upstream = { http_429, error, non_idempotent } next_upstream_tries = 7\n"
        "next_upstream_timeout_ms = 8 retry_body_bytes = 9K max_header_bytes = 1M\n"
        "server '127.0.0.1:1' { weight = 2 max_fails = 3 fail_timeout_ms = 4 max_conns = 5\n"
        "slow_start_ms = 6 down = yes }\n"
        "eject_latency = 9 check { path = '/h?x' interval_ms = 100 timeout_ms = 2 rise = 3\n"
        "fall = 4 status = 201..204 }\n"
        "server 'app.example:80' { backup = on } server 'unix:/s' { } }\n"
        "upstream b { server '[::1]:1' { } }\n");
    const struct conf_upstream *api = conf_upstream_find(conf, "api.v-2_X");
    const struct conf_upstream *b = conf_upstream_find(conf, "b");

    (void)state;
    assert_int_equal(conf->n_upstreams, 2);
    assert_ptr_equal(api, &conf->upstreams[0]);
    assert_ptr_equal(b, &conf->upstreams[1]);
    assert_null(conf_upstream_find(conf, "c"));
    assert_int_equal(api->balance, CONF_BALANCE_RANDOM_TWO);
    assert_int_equal(api->keepalive, 0);
    assert_int_equal(api->keepalive_idle_ms, 2);
    assert_int_equal(api->keepalive_requests, 3);
    assert_int_equal(api->connect_timeout_ms, 4);
    assert_int_equal(api->send_timeout_ms, 5);
    assert_int_equal(api->read_timeout_ms, 6);
    assert_int_equal(api->next, CONF_NEXT_ERROR | CONF_NEXT_HTTP_429 | CONF_NEXT_NON_IDEMPOTENT);
    assert_int_equal(api->next_tries, 7);
    assert_int_equal(api->next_timeout_ms, 8);
    assert_int_equal(api->retry_body_bytes, 9216);
    assert_int_equal(api->max_header_bytes, 1048576);
    assert_int_equal(api->eject_latency, 9);
    assert_string_equal(api->check.path, "/h?x");
    assert_int_equal(api->check.interval_ms, 100);
    assert_int_equal(api->check.timeout_ms, 2);
    assert_int_equal(api->check.rise, 3);
    assert_int_equal(api->check.fall, 4);
    assert_int_equal(api->check.status_min, 201);
    assert_int_equal(api->check.status_max, 204);
    assert_int_equal(api->n_servers, 3);
    assert_string_equal(api->servers[0].title, "127.0.0.1:1");
    assert_false(api->servers[0].is_name);
    assert_int_equal(address_port(&api->servers[0].address), 1);
    assert_int_equal(api->servers[0].weight, 2);
    assert_int_equal(api->servers[0].max_fails, 3);
    assert_int_equal(api->servers[0].fail_timeout_ms, 4);
    assert_int_equal(api->servers[0].max_conns, 5);
    assert_int_equal(api->servers[0].slow_start_ms, 6);
    assert_true(api->servers[0].down && !api->servers[0].backup);
    assert_true(api->servers[1].is_name && api->servers[1].backup && !api->servers[1].down);
    assert_int_equal(api->servers[2].address.storage.ss_family, AF_UNIX);
    assert_int_equal(b->next, CONF_NEXT_ERROR | CONF_NEXT_TIMEOUT);
    assert_int_equal(b->servers[0].weight, 1);
    assert_string_equal(b->check.path, "");
    conf_free(conf);
}

/* Each word is the bit that the contract of enum conf_next gives it. */
static void gives_each_word_its_bit(void **state)
{
    static const struct {
        const char *words;
        unsigned bits;
    } rows[] = {
        {"error", CONF_NEXT_ERROR},
        {"timeout", CONF_NEXT_TIMEOUT},
        {"invalid_header", CONF_NEXT_INVALID_HEADER},
        {"http_500", CONF_NEXT_HTTP_500},
        {"http_502", CONF_NEXT_HTTP_502},
        {"http_503", CONF_NEXT_HTTP_503},
        {"http_504", CONF_NEXT_HTTP_504},
        {"http_403", CONF_NEXT_HTTP_403},
        {"http_404", CONF_NEXT_HTTP_404},
        {"http_429", CONF_NEXT_HTTP_429},
        {"non_idempotent", CONF_NEXT_NON_IDEMPOTENT},
        {"off", 0},
        {"{}", 0},
        {"{ off }", 0},
        {"'error, timeout'", CONF_NEXT_ERROR | CONF_NEXT_TIMEOUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char content[128];
        struct conf *conf;

        (void)snprintf(content, sizeof(content),
                       "upstream a { server 'h:1' { } next_upstream = %s }", rows[i].words);
        conf = must_load(content);
        assert_int_equal(conf->upstreams[0].next, rows[i].bits);
        conf_free(conf);
    }
}

#define IN_A(content) "upstream a { server 'h:1' { }\n" content " }"

static void refuses(void **state)
{
    static const char *const rows[][2] = {
        {"upstream a { }", "1: upstream \"a\": it has no server"},
        {"\nupstream a { check { rise = 3 } }", "2: upstream \"a\": it has no server"},
        {"upstream { }", "1: section upstream needs a title: a string before the '{'"},
        {"upstream a { server { } }", "1: section server needs a title: a string before the '{'"},
        {"upstream '' { server 'h:1' { } }",
         "1: upstream \"\": a title has 1 to 64 letters, digits, '_', '.' and '-'"},
        {"upstream 'a:80' { server 'h:1' { } }",
         "1: upstream \"a:80\": a title has 1 to 64 letters, digits, '_', '.' and '-'"},
        {IN_A("} upstream a { server 'h:1' { }"), "2: upstream \"a\" stands at @/a.conf:1 already"},
        {"server 'h:1' { }", "1: section server stands in a section upstream"},
        {"log { }\ncheck { }", "2: section check stands in a section upstream"},
        {IN_A("serber x { }"),
         "2: unknown key 'serber' in section upstream; did you mean 'server'?"},
        {IN_A("balanc = x"),
         "2: unknown key 'balanc' in section upstream; did you mean 'balance'?"},
        {IN_A("check { elephant = 1 }"), "2: unknown key 'elephant' in section check"},
        {IN_A("check {\nrize = 1 }"),
         "3: unknown key 'rize' in section check; did you mean 'rise'?"},
        {IN_A("server 'h:2' {\nwieght = 1 }"),
         "3: unknown key 'wieght' in section server; did you mean 'weight'?"},
        {IN_A("balance = fair"), "2: upstream \"a\": balance: 'fair' is not one of round_robin, "
                                 "least_conn, ip_hash, random_two"},
        {IN_A("server 'h:2' { weight = 0 }"),
         "2: upstream \"a\": server \"h:2\": weight: '0' is not "
         "a whole number from 1 to 65535"},
        {IN_A("server 'h:2' { weight = 1\nweight = 1 }"),
         "3: upstream \"a\": server \"h:2\": weight stands at @/a.conf:2 already"},
        {IN_A("check { rise = 1 } check {\nrise = 1 }"),
         "3: upstream \"a\": check.rise stands at @/a.conf:2 already"},
        {IN_A("server 'h:1' { }"),
         "2: upstream \"a\": server \"h:1\" stands at @/a.conf:1 already"},
        {IN_A("server 'H:01' { }"),
         "2: upstream \"a\": server \"H:01\": \"h:1\" at @/a.conf:1 is the same server"},
        {"upstream a { server '[::1]:1' { }\nserver '[0::1]:1' { } }",
         "2: upstream \"a\": server \"[0::1]:1\": \"[::1]:1\" at @/a.conf:1 is the same server"},
        {IN_A("server nowhere { }"), "2: upstream \"a\": server \"nowhere\": it is not ADDR:PORT, "
                                     "[IPv6]:PORT, unix:/path or NAME:PORT"},
        {"upstream a { server 'h:1' { backup = yes } server 'h:2' { backup = yes down = yes } }",
         "1: upstream \"a\": all servers are backup, one must not be"},
        {"upstream a { server 'h:1' { down = yes } server 'h:2' { backup = yes down = yes } }",
         "1: upstream \"a\": all servers are down, one must not be"},
        {IN_A("next_upstream = { error, off }"),
         "2: upstream \"a\": next_upstream: 'off' stands alone, without other words"},
        {IN_A("next_upstream = http_501"),
         "2: upstream \"a\": next_upstream: 'http_501' is not one of error, timeout, "
         "invalid_header, http_500, http_502, http_503, http_504, http_403, http_404, http_429, "
         "non_idempotent"},
        {IN_A("eject_latency = 1"), "2: upstream \"a\": eject_latency (1) must be 0 or at least 2: "
                                    "with less, half of the servers would be too slow"},
        {IN_A("check {\npath = health }"), "3: upstream \"a\": check.path: 'health' is not a path "
                                           "that begins with '/', without spaces"},
        {IN_A("check { path = '/a b' }"),
         "2: upstream \"a\": check.path: '/a b' is not a path that "
         "begins with '/', without spaces"},
        {IN_A("check { status = 99 }"), "2: upstream \"a\": check.status: '99' is not LOW..HIGH or "
                                        "one number, from 100 to 599"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct conf_row row = {.base = rows[i][0]};
        char expected[CONF_ERROR_SIZE];
        struct conf_row with_error = row;

        (void)snprintf(expected, sizeof(expected), "@/a.conf:%s", rows[i][1]);
        with_error.error = expected;
        fixture_run(&with_error);
    }
}

static void reads_spans_of_status(void **state)
{
    static const struct {
        const char *text;
        long min, max; /* 0: refused */
    } rows[] = {
        {"200", 200, 200},       {"200..399", 200, 399}, {"100..599", 100, 599},
        {"204..204", 204, 204},  {"399..200", 0, 0},     {"200..600", 0, 0},
        {"200..", 0, 0},         {"..200", 0, 0},        {"200...300", 0, 0},
        {"200-300", 0, 0},       {"''", 0, 0},           {"' 200'", 0, 0},
        {"200..300..400", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char content[128], error[CONF_ERROR_SIZE];
        struct conf *conf = NULL;

        (void)snprintf(content, sizeof(content), IN_A("check { status = %s }"), rows[i].text);
        assert_int_equal(load(content, &conf, error), rows[i].min > 0 ? 0 : -EINVAL);
        if (rows[i].min == 0)
            continue;
        assert_int_equal(conf->upstreams[0].check.status_min, rows[i].min);
        assert_int_equal(conf->upstreams[0].check.status_max, rows[i].max);
        conf_free(conf);
    }
}

/* So many upstreams with so many servers each, allocated; the titles are as long as they may be. */
static char *many(size_t n_upstreams, size_t n_servers)
{
    char *content = NULL;
    size_t size;
    FILE *out = open_memstream(&content, &size);

    assert_non_null(out);
    for (size_t i = 0; i < n_upstreams; i++) {
        (void)fprintf(out, "upstream %064zu {\n", i);
        for (size_t j = 0; j < n_servers; j++)
            (void)fprintf(out, "server 'h:%zu' { }\n", j + 1);
        (void)fputs("}\n", out);
    }
    (void)fclose(out);
    return content;
}

static void bounds_their_number(void **state)
{
    char *most = many(CONF_UPSTREAMS_MAX, 1), *more = many(CONF_UPSTREAMS_MAX + 1, 1);
    char *most_servers = many(1, CONF_SERVERS_MAX), *more_servers = many(1, CONF_SERVERS_MAX + 1);

    (void)state;
    conf_free(must_load(most));
    conf_free(must_load(most_servers));
    must_fail(more,
              "193: upstream \"0000000000000000000000000000000000000000000000000000000000000064\""
              ": there are 64 upstreams already");
    must_fail(more_servers, "130: upstream "
                            "\"0000000000000000000000000000000000000000000000000000000000000000\""
                            ": it has more than 128 servers");
    most = realloc(most, strlen(most) + 100);
    assert_non_null(most);
    (void)strcat(most, "route /x { handler = pass\nto = 'http://h:1' }");
    must_fail(most, "194: route \"/x\": to: there are 64 upstreams already");
    free(most);
    free(more);
    free(most_servers);
    free(more_servers);
}

static void finds_what_a_route_refers_to(void **state)
{
    struct conf *conf = must_load("route /a { handler = pass upstream = api }\n"
                                  "upstream api { server 'h:1' { } }\n"
                                  "route /b { handler = pass to = 'http://H:1/base' }\n"
                                  "route /c { handler = pass to = 'http://h:01' }\n"
                                  "route /d { handler = pass to = 'http://[::1]' }\n");
    const struct conf_upstream *implicit = conf_upstream_find(conf, "h:1");
    const struct conf_upstream *address = conf_upstream_find(conf, "[::1]:80");

    (void)state;
    assert_int_equal(conf->n_upstreams, 3);
    assert_non_null(implicit);
    assert_int_equal(implicit->n_servers, 1);
    assert_string_equal(implicit->servers[0].title, "h:1");
    assert_true(implicit->servers[0].is_name);
    assert_int_equal(implicit->servers[0].weight, 1);
    assert_int_equal(implicit->keepalive, 32);
    assert_int_equal(implicit->next, CONF_NEXT_ERROR | CONF_NEXT_TIMEOUT);
    assert_int_equal(implicit->retry_body_bytes, 65536);
    assert_string_equal(implicit->check.path, "");
    assert_int_equal(implicit->check.status_max, 399);
    assert_non_null(address);
    assert_false(address->servers[0].is_name);
    assert_int_equal(address_port(&address->servers[0].address), 80);
    conf_free(conf);
}

/* The dump has no implicit upstream: its title could not stand in a file. */
static void dumps_what_can_be_read(void **state)
{
    struct conf *conf = must_load("route /b { handler = pass to = 'http://h:1' }\n"
                                  "upstream api { server 'h:1' { } }\n");
    char *dumped = fixture_dump(conf);

    (void)state;
    conf_free(conf);
    assert_non_null(strstr(dumped, "\nupstream \"api\" {"));
    assert_null(strstr(dumped, "\nupstream \"h:1\" {"));
    conf = must_load(dumped);
    assert_int_equal(conf->n_upstreams, 2);
    conf_free(conf);
    free(dumped);
}

static void tells_where_a_route_refers_to_nothing(void **state)
{
    (void)state;
    must_fail("route /a { handler = pass\nupstream = apj }\nupstream api { server 'h:1' { } }",
              "2: route \"/a\": upstream: there is no upstream \"apj\"; did you mean \"api\"?");
    must_fail("route /a { handler = pass\nupstream = elephant }\nupstream api { server 'h:1' { } }",
              "2: route \"/a\": upstream: there is no upstream \"elephant\"");
    must_fail("\nroute /a { handler = pass }",
              "2: route \"/a\": upstream: there is no upstream \"\"");
    must_fail("route /a { handler = pass\n\nto = 'https://h' }",
              "3: route \"/a\": to: https is not supported, only http");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(fills_the_structs),
        TEST(gives_each_word_its_bit),
        TEST(refuses),
        TEST(reads_spans_of_status),
        TEST(bounds_their_number),
        TEST(finds_what_a_route_refers_to),
        TEST(dumps_what_can_be_read),
        TEST(tells_where_a_route_refers_to_nothing),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
