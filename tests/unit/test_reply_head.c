/*
 * The heads of answers, byte by byte.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/attributes.h"
#include "http/reply_head.h"
#include "http/server_state.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN       REPLY_LENGTH_UNKNOWN

#define NOW  784111777 /* RFC 9110 section 5.6.7 */
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static struct http_server server;
static struct connection connection;
static struct http_request *request = &connection.request;
static time_t now_s;
static bool memory_is_short;

time_t __wrap_time(time_t *ret);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

time_t __wrap_time(time_t *ret)
{
    if (ret != NULL)
        *ret = now_s;
    return now_s;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(memory, size);
}

static int set_up(void **state)
{
    (void)state;
    now_s = NOW;
    server = (struct http_server){.n_connections = 1};
    memset(&connection, 0, sizeof connection);
    connection.server = &server;
    connection.head.minor = 1;
    *request = (struct http_request){.connection = &connection, .server = &server};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bytes_free(&server.head);
    return 0;
}

static void assert_head(const struct reply *reply, uint64_t len, const char *expected)
{
    const struct bytes *head;

    request->head_bytes = 0;
    head = reply_head(request, reply, len);
    assert_false(head->failed);
    assert_string_equal(head->at, expected);
    assert_int_equal(head->len, strlen(expected));
    assert_int_equal(request->head_bytes, head->len);
    assert_int_equal(request->status, reply->status);
    assert_true(request->answered);
}

#define TEXT "Content-Type: text/plain\r\n"

static void heads(void **state)
{
    static const struct {
        int status;
        const char *type;
        uint64_t len;
        int minor;
        bool last;
        const char *expected;
        bool becomes_last;
    } rows[] = {
        {200, "text/plain", 5, 1, false,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n" TEXT "\r\n", false},
        {200, NULL, 0, 1, false, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n\r\n", false},
        {200, NULL, UINT64_MAX - 1, 1, false,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 18446744073709551614\r\n\r\n", false},
        {404, "text/plain", 5, 1, true,
         "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 5\r\n" TEXT "Connection: close\r\n\r\n",
         true},
        {200, "text/plain", 5, 0, true,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n" TEXT "Connection: close\r\n\r\n", true},
        {200, "text/plain", 5, 0, false,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n" TEXT "Connection: keep-alive\r\n\r\n",
         false},
        {200, "text/plain", UNKNOWN, 1, false,
         "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n" TEXT "\r\n", false},
        {200, "text/plain", UNKNOWN, 1, true,
         "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n" TEXT
         "Connection: close\r\n\r\n",
         true},
        {200, "text/plain", UNKNOWN, 0, false,
         "HTTP/1.1 200 OK\r\n" DATE TEXT "Connection: close\r\n\r\n", true},
        {204, "text/plain", 0, 1, false, "HTTP/1.1 204 No Content\r\n" DATE "\r\n", false},
        {204, NULL, UNKNOWN, 1, false, "HTTP/1.1 204 No Content\r\n" DATE "\r\n", false},
        {304, "text/plain", 5, 1, false, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n", false},
        {304, NULL, 5, 0, false,
         "HTTP/1.1 304 Not Modified\r\n" DATE "Connection: keep-alive\r\n\r\n", false},
        {599, NULL, 0, 1, false, "HTTP/1.1 599 Unknown\r\n" DATE "Content-Length: 0\r\n\r\n",
         false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct reply reply = {.status = rows[i].status, .type = rows[i].type};
        connection.last = rows[i].last;
        connection.head.minor = rows[i].minor;
        assert_head(&reply, rows[i].len, rows[i].expected);
        assert_int_equal(connection.last, rows[i].becomes_last);
    }
}

static void a_server_that_leaves_says_so(void **state)
{
    struct reply reply = {.status = 200};

    (void)state;
    server.closing = true;
    assert_head(&reply, 0,
                "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n");
    assert_true(connection.last);
}

static void a_worker_that_dies_says_so(void **state)
{
    struct reply reply = {.status = 200};

    (void)state;
    request->doomed = true;
    assert_head(&reply, 0,
                "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n");
    assert_true(connection.last);
}

static void the_date_moves_on(void **state)
{
    struct reply reply = {.status = 204};

    (void)state;
    assert_head(&reply, 0, "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
    now_s += 1;
    assert_head(&reply, 0,
                "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n\r\n");
    now_s = NOW;
    assert_head(&reply, 0, "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
}

static int catch_log(void)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_true(fd >= 0);
    log_move(dup(fd));
    return fd;
}

static void has_the_fields_of_the_handler(void **state)
{
    static const struct reply_header none[] = {{NULL, NULL}};
    static const struct reply_header some[] = {
        {"ETag", "\"a\""}, {"X-None", NULL}, {"X-Empty", ""}, {"ETag", "b"}, {NULL, NULL}};
    struct reply reply = {.status = 304, .headers = none};

    (void)state;
    assert_head(&reply, 0, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n");
    reply.headers = some;
    assert_head(&reply, 0,
                "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"a\"\r\nX-Empty: \r\nETag: b\r\n\r\n");
}

static void has_the_lines_of_somebody_else(void **state)
{
    static const char lines[] = "Server: b\r\nX-A: 1\r\nX-A: 2\r\n";
    static const char dated[] = "Date: Mon, 07 Nov 1994 08:49:37 GMT\r\n";
    static const struct {
        struct reply reply;
        uint64_t len;
        const char *expected;
        bool becomes_last;
    } rows[] = {
        {{.status = 200, .lines = lines, .lines_len = sizeof lines - 1},
         5,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nServer: b\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
         false},
        {{.status = 200, .lines = lines, .lines_len = 11},
         5,
         "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nServer: b\r\n\r\n",
         false},
        {{.status = 200, .lines = dated, .lines_len = sizeof dated - 1, .is_dated = true},
         5,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n\r\n",
         false},
        {{.status = 404, .reason = "Gone fishing"},
         0,
         "HTTP/1.1 404 Gone fishing\r\n" DATE "Content-Length: 0\r\n\r\n",
         false},
        {{.status = 299, .reason = ""},
         0,
         "HTTP/1.1 299 \r\n" DATE "Content-Length: 0\r\n\r\n",
         false},
        {{.status = 304, .lines = lines, .lines_len = 11},
         5,
         "HTTP/1.1 304 Not Modified\r\n" DATE "Server: b\r\n\r\n",
         false},
        {{.status = 101, .lines = lines, .lines_len = 11},
         UNKNOWN,
         "HTTP/1.1 101 Switching Protocols\r\n" DATE "Server: b\r\n\r\n",
         true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        connection.last = false;
        assert_head(&rows[i].reply, rows[i].len, rows[i].expected);
        assert_int_equal(connection.last, rows[i].becomes_last);
        assert_int_equal(request->until_close, rows[i].becomes_last);
    }
}

/* Else a value that a client has sent could become fields, or a body. */
static void a_line_break_leaves_the_field_out(void **state)
{
    static const char *const values[] = {"a\r\nX-Evil: 1", "a\nb", "a\rb", "\r\n", "a\n"};
    int log_file = catch_log();
    char text[4096];

    (void)state;
    for (size_t i = 0; i < LENGTH(values); i++) {
        struct reply_header fields[] = {{"X-A", values[i]}, {"X-B", "b"}, {NULL, NULL}};
        struct reply reply = {.status = 204, .headers = fields};
        assert_head(&reply, 0, "HTTP/1.1 204 No Content\r\n" DATE "X-B: b\r\n\r\n");
        reply = (struct reply){.status = 200, .type = values[i]};
        assert_head(&reply, 0, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n\r\n");
    }
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "the answer's field X-A has a line break and is left out"));
    assert_non_null(strstr(text, "the answer's field Content-Type has a line break"));
    close(log_file);
}

/* A request of a route with these header lines. */
static void follows_its_route(void **state)
{
    struct conf_route routes[2] = {{.pattern = (char *)"/a"}, {.pattern = (char *)"/b"}};
    struct conf conf = {.routes = routes, .n_routes = 2};
    struct attributes attributes[2] = {{.state = NULL}, {.state = NULL}};
    struct route found = {.conf = &routes[1]};
    static const struct reply_header fields[] = {{"X-A", "a"}, {NULL, NULL}};
    struct reply reply = {.status = 204, .headers = fields};

    (void)state;
    server.settings.conf = &conf;
    server.attributes = attributes;
    request->found = ROUTER_FOUND;
    request->match.route = &found;
    assert_head(&reply, 0, "HTTP/1.1 204 No Content\r\n" DATE "X-A: a\r\n\r\n");
    bytes_add_text(&attributes[0].headers, "X-Other: 1\r\n");
    bytes_add_text(&attributes[1].headers, "X-R: 1\r\nX-S: 2\r\n");
    connection.last = true;
    assert_head(&reply, 0,
                "HTTP/1.1 204 No Content\r\n" DATE
                "X-A: a\r\nX-R: 1\r\nX-S: 2\r\nConnection: close\r\n\r\n");
    request->found = ROUTER_NOT_FOUND;
    assert_head(&reply, 0,
                "HTTP/1.1 204 No Content\r\n" DATE "X-A: a\r\nConnection: close\r\n\r\n");
    bytes_free(&attributes[0].headers);
    bytes_free(&attributes[1].headers);
}

static void fails_when_memory_is_short(void **state)
{
    struct reply reply = {.status = 204};

    (void)state;
    memory_is_short = true;
    assert_true(reply_head(request, &reply, 0)->failed);
    memory_is_short = false;
    assert_head(&reply, 0, "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
}

static void statuses_have_their_phrase(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        assert_true(strlen(reply_reason(status)) > 0);
        assert_int_equal(reply_is_bodiless(status), status < 200 || status == 204 || status == 304);
    }
    assert_string_equal(reply_reason(200), "OK");
    assert_string_equal(reply_reason(413), "Content Too Large");
    assert_string_equal(reply_reason(431), "Request Header Fields Too Large");
    assert_string_equal(reply_reason(505), "HTTP Version Not Supported");
    assert_string_equal(reply_reason(299), "Unknown");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(heads),
        TEST(a_server_that_leaves_says_so),
        TEST(a_worker_that_dies_says_so),
        TEST(the_date_moves_on),
        TEST(has_the_fields_of_the_handler),
        TEST(has_the_lines_of_somebody_else),
        TEST(a_line_break_leaves_the_field_out),
        TEST(follows_its_route),
        TEST(fails_when_memory_is_short),
        TEST(statuses_have_their_phrase),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
