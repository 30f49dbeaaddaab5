/*
 * The head of a request as a server of an upstream gets it, line by line. The
 * server is a socket of the test that never answers.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/server_state.h"
#include "proxy/balancer.h"
#include "proxy/proxy.h"
#include "server_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define TRACE   "4bf92f3577b34da6a3ce929d0e0e4736"
#define FORGED  "X-Forwarded-For: 10.0.0.1\r\n"
#define WS      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define TRUSTED " trusted_proxies = { \"192.0.2.0/24\" }"

static int listener;
static struct address address; /* of the listener */
static struct balancer *balancer;
static struct proxy *proxy;
static int client;

static void listen_somewhere(void)
{
    static const struct timeval enough = {10, 0};
    struct sockaddr *any;
    const char *why;

    assert_int_equal(address_parse("127.0.0.1:0", &address, &why), 0);
    any = (struct sockaddr *)&address.storage;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &enough, sizeof enough), 0);
    assert_int_equal(bind(listener, any, address.len), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, any, &address.len), 0);
}

/* Serve a route of this pattern and these options, and upstream options, for one request. */
static void serve(const char *pattern, const char *options, const char *upstream)
{
    char name[ADDRESS_TEXT_SIZE], target[256], conf[2048];
    struct http_server *server;
    struct proxy_settings settings;

    address_format(&address, name);
    snprintf(target, sizeof target, options[0] == '/' ? "proxy_to = http://%s" : "upstream = api ",
             name);
    snprintf(conf, sizeof conf,
             "upstream \"api\" { server \"%s\" { } %s }\n"
             "route \"%s\" { handler = proxy %s%s }\n",
             name, upstream, pattern, target, options);
    server = fixture_serve(conf);
    assert_int_equal(balancer_new(1, &balancer), 0);
    assert_int_equal(balancer_apply(balancer, server->settings.conf, clock_now_ms()), 0);
    settings = (struct proxy_settings){
        .base = server->settings.base, .conf = server->settings.conf, .balancer = balancer};
    assert_int_equal(proxy_new(&settings, &proxy), 0);
    server->settings.context = proxy;
    client = fixture_connect();
}

static void end(void)
{
    struct proxy *own = proxy;
    struct balancer *shared = balancer;

    close(client);
    fixture_turn();
    proxy_free(own);
    fixture_end();
    balancer_free(shared);
}

/* What the server gets of the request, up to the empty line; good until the next call. */
static const char *got(const char *request)
{
    static char text[32768];
    size_t len = 0;
    int fd;

    fixture_send(client, request);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    do {
        fixture_turn();
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL);
    close(fd);
    return text;
}

/* How many lines have this name. */
static unsigned count(const char *head, const char *name)
{
    char start[128];
    unsigned n = 0;

    snprintf(start, sizeof start, "\r\n%s: ", name);
    for (const char *at = head; (at = strcasestr(at, start)) != NULL; at += 2)
        n++;
    return n;
}

struct row {
    const char *pattern;
    const char *options; /* of the route; "/base": proxy_to with that path */
    const char *upstream;
    const char *request;
    const char *lines[6]; /* that are there; "@" is the server's address */
    const char *none[4];  /* names that are not there */
};

static void assert_has(const char *head, const char *line)
{
    char name[ADDRESS_TEXT_SIZE], whole[512];
    const char *at = strchr(line, '@');

    address_format(&address, name);
    if (at != NULL)
        snprintf(whole, sizeof whole, "%.*s%s%s\r\n", (int)(at - line), line, name, at + 1);
    else
        snprintf(whole, sizeof whole, "%s\r\n", line);
    if (strstr(head, whole) == NULL)
        fail_msg("\"%s\" is not in\n%s", line, head);
}

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        serve(row->pattern, row->options, row->upstream);
        const char *head = got(row->request);
        for (size_t k = 0; k < LENGTH(row->lines) && row->lines[k] != NULL; k++)
            assert_has(head, row->lines[k]);
        for (size_t k = 0; k < LENGTH(row->none) && row->none[k] != NULL; k++)
            if (count(head, row->none[k]) > 0)
                fail_msg("row %zu: %s is in\n%s", i, row->none[k], head);
        assert_int_equal(count(head, "Host"), 1);
        assert_int_equal(count(head, "traceparent"), 1);
        assert_true(count(head, "Content-Length") + count(head, "Transfer-Encoding") <= 1);
        assert_true(count(head, "Connection") <= 1);
        end();
    }
}

static int set_up(void **state)
{
    (void)state;
    listen_somewhere();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return close(listener);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.example:81\r\n"
#define ABSOLUTE  "http://a.example:81"

static void targets(void **state)
{
    static const struct row rows[] = {
        {"/", "", "", GET("/") "\r\n", {"GET / HTTP/1.1"}, {NULL}},
        {"/",
         "",
         "",
         GET("/a%2Fb%20c?x=%41&y") "\r\n",
         {"GET /a%2Fb%20c?x=%41&y HTTP/1.1"},
         {NULL}},
        {"/", "", "", GET(ABSOLUTE "/c?d") "\r\n", {"GET /c?d HTTP/1.1"}, {NULL}},
        {"/", "", "", GET(ABSOLUTE "?d") "\r\n", {"GET /?d HTTP/1.1"}, {NULL}},
        {"/", "/base", "", GET("/a?b") "\r\n", {"GET /base/a?b HTTP/1.1"}, {NULL}},
        {"/", "/base/", "", GET("/a") "\r\n", {"GET /base/a HTTP/1.1"}, {NULL}},
        {"/", "/", "", GET("/a") "\r\n", {"GET /a HTTP/1.1"}, {NULL}},
        {"/", "/b%20c", "", GET("/") "\r\n", {"GET /b%20c/ HTTP/1.1"}, {NULL}},
        {"/api/", "", "", GET("/api/a") "\r\n", {"GET /api/a HTTP/1.1"}, {NULL}},
        {"/api/",
         "strip_prefix = yes",
         "",
         GET("/api/a%2Fb?c") "\r\n",
         {"GET /a%2Fb?c HTTP/1.1"},
         {NULL}},
        {"/api/", "strip_prefix = yes", "", GET("/api/") "\r\n", {"GET / HTTP/1.1"}, {NULL}},
        {"/api/{rest...}",
         "/v2 strip_prefix = yes",
         "",
         GET("/api/a/b/") "\r\n",
         {"GET /v2/a/b/ HTTP/1.1"},
         {NULL}},
        {"/api/{rest...}",
         "/v2/ strip_prefix = yes",
         "",
         GET("/api/a") "\r\n",
         {"GET /v2/a HTTP/1.1"},
         {NULL}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void hosts(void **state)
{
    static const struct row rows[] = {
        {"/", "", "", GET("/") "\r\n", {"Host: a.example:81"}, {NULL}},
        {"/",
         "pass_host = no",
         "",
         GET("/") "\r\n",
         {"Host: @", "X-Forwarded-Host: a.example:81"},
         {NULL}},
        {"/",
         "",
         "",
         GET(ABSOLUTE "/") "\r\n",
         {"Host: a.example:81", "X-Forwarded-Host: a.example:81"},
         {NULL}},
        {"/",
         "",
         "",
         "GET / HTTP/1.0\r\n\r\n",
         {"GET / HTTP/1.1", "Host: @", "Via: 1.0 zombie-server"},
         {"X-Forwarded-Host"}},
        {"/", "", "", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", {"Host: a"}, {NULL}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void fields(void **state)
{
    static const struct row rows[] = {
        {"/",
         "",
         "",
         GET("/") "X-A: 1\r\nx-a: 2\r\nX-B:\r\nTrailer: X-C\r\n\r\n",
         {"X-A: 1", "x-a: 2", "X-B: ", "Trailer: X-C"},
         {"Connection"}},
        {"/",
         "",
         "",
         GET("/") "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: "
                  "x\r\n\r\n",
         {NULL},
         {"X-Hop", "Keep-Alive", "Proxy-Authorization", "Connection"}},
        {"/",
         "",
         "",
         GET("/") "Connection: Host, Content-Length, X-Forwarded-For\r\n\r\n",
         {"Host: a.example:81", "X-Forwarded-For: 192.0.2.1"},
         {NULL}},
        {"/",
         "headers_up = { \"X-Up: 1\", \"X-Up: 2\" }",
         "",
         GET("/") "\r\n",
         {"X-Up: 1", "X-Up: 2"},
         {NULL}},
        {"/", "", "keepalive = 0", GET("/") "\r\n", {"Connection: close"}, {NULL}},
        {"/",
         "",
         "",
         GET("/") "TE: trailers\r\nConnection: TE\r\n\r\n",
         {"TE: trailers", "Connection: TE"},
         {NULL}},
        {"/",
         "",
         "keepalive = 0",
         GET("/") "TE: gzip, Trailers\r\n\r\n",
         {"TE: trailers", "Connection: close, TE"},
         {NULL}},
        {"/", "", "", GET("/") "TE: gzip\r\nConnection: TE\r\n\r\n", {NULL}, {"TE", "Connection"}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

static void ways(void **state)
{
    static const struct row rows[] = {
        {"/",
         "",
         "",
         GET("/") FORGED "X-Forwarded-Proto: https\r\nX_Forwarded_For: 10.0.0.1\r\n\r\n",
         {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"},
         {"X_Forwarded_For"}},
        {"/",
         TRUSTED,
         "",
         GET("/") FORGED "X-Forwarded-Proto: https\r\n\r\n",
         {"X-Forwarded-For: 10.0.0.1, 192.0.2.1", "X-Forwarded-Proto: https"},
         {"Forwarded"}},
        {"/",
         "trusted_proxies = { \"192.0.3.0/24\" }",
         "",
         GET("/") FORGED "\r\n",
         {"X-Forwarded-For: 192.0.2.1"},
         {NULL}},
        {"/", "", "", GET("/") "Via: 1.0 b\r\n\r\n", {"Via: 1.0 b, 1.1 zombie-server"}, {NULL}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

/* Proxies append lines: who comes last is who is to be believed. */
static void the_last_lines_of_a_way_are_kept(void **state)
{
    char request[4096];
    int at = snprintf(request, sizeof request, GET("/"));

    (void)state;
    for (int i = 0; i < 40; i++)
        at += snprintf(request + at, sizeof request - (size_t)at, FORGED);
    snprintf(request + at, sizeof request - (size_t)at, "X-Forwarded-For: 198.51.100.7\r\n\r\n");
    serve("/", TRUSTED, "");
    const char *head = got(request);
    assert_non_null(strstr(head, ", 198.51.100.7, 192.0.2.1\r\n"));
    assert_int_equal(count(head, "X-Forwarded-For"), 1);
    end();
}

static void traces(void **state)
{
    static const struct {
        const char *sent;
        bool goes_on;
    } rows[] = {
        {"traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n", true},
        {"traceparent: nonsense\r\n", false},
        {"", false},
        {"traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n"
         "traceparent: 00-" TRACE "-00f067aa0ba902b8-01\r\n",
         false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char request[512];
        snprintf(request, sizeof request, GET("/") "%stracestate: a=b\r\n\r\n", rows[i].sent);
        serve("/", "", "");
        const char *head = got(request);
        assert_int_equal(count(head, "traceparent"), 1);
        assert_int_equal(strstr(head, "\r\ntraceparent: 00-" TRACE "-") != NULL, rows[i].goes_on);
        assert_null(strstr(head, "-00f067aa0ba902b7-"));
        end();
    }
}

static void upgrades(void **state)
{
    static const struct row rows[] = {
        {"/",
         "",
         "",
         GET("/") WS "Sec-WebSocket-Key: a\r\n\r\n",
         {"Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Key: a"},
         {NULL}},
        {"/", "", "keepalive = 0", GET("/") WS "\r\n", {"Connection: upgrade"}, {NULL}},
        {"/", "upgrade = no", "", GET("/") WS "\r\n", {NULL}, {"Upgrade", "Connection"}},
        {"/", "", "", GET("/") "Upgrade: websocket\r\n\r\n", {NULL}, {"Upgrade", "Connection"}},
        {"/", "", "", GET("/") "Connection: upgrade\r\n\r\n", {NULL}, {"Upgrade", "Connection"}},
        {"/",
         "",
         "",
         GET("/") "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                  "HTTP2-Settings: AAAA\r\n\r\n",
         {NULL},
         {"Upgrade", "Connection", "HTTP2-Settings"}},
        {"/",
         "",
         "",
         GET("/") "Upgrade: websocket, H2C\r\nConnection: Upgrade\r\n\r\n",
         {NULL},
         {"Upgrade", "Connection"}},
        {"/",
         "",
         "",
         GET("/") "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
         {"Upgrade: websocket"},
         {NULL}},
        {"/", "", "", "GET / HTTP/1.0\r\nHost: a\r\n" WS "\r\n", {NULL}, {"Upgrade", "Connection"}},
        {"/",
         "",
         "",
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" WS "\r\nx",
         {"Content-Length: 1"},
         {"Upgrade", "Connection"}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

#define HEAD(method) method " / HTTP/1.1\r\nHost: a\r\n"

static void bodies(void **state)
{
    static const struct row rows[] = {
        {"/", "", "", GET("/") "\r\n", {NULL}, {"Content-Length", "Transfer-Encoding"}},
        {"/",
         "",
         "",
         HEAD("POST") "Content-Length: 3\r\n\r\nabc",
         {"Content-Length: 3"},
         {"Transfer-Encoding"}},
        {"/",
         "",
         "",
         HEAD("POST") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         {"Transfer-Encoding: chunked"},
         {"Content-Length"}},
        {"/", "", "", HEAD("POST") "\r\n", {"Content-Length: 0"}, {NULL}},
        {"/",
         "",
         "",
         HEAD("PUT") "Content-Length: 0\r\nContent-Type: a/b\r\n\r\n",
         {"Content-Length: 0", "Content-Type: a/b"},
         {NULL}},
        {"/", "", "", HEAD("PATCH") "Content-Length: 0\r\n\r\n", {"Content-Length: 0"}, {NULL}},
        {"/", "", "", HEAD("DELETE") "\r\n", {NULL}, {"Content-Length"}},
        {"/",
         "",
         "",
         HEAD("POST") "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
         {"Content-Length: 3"},
         {"Expect"}},
    };

    (void)state;
    run(rows, LENGTH(rows));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(targets),
        TEST(hosts),
        TEST(fields),
        TEST(ways),
        TEST(the_last_lines_of_a_way_are_kept),
        TEST(traces),
        TEST(upgrades),
        TEST(bodies),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
