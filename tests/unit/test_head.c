/*
 * Heads that are understood, and how; the limits; the walk over the fields. What
 * is refused is in test_attacks.c.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/head.h"

static const struct head_limits limits = {.bytes = 16384, .uri = 8000, .fields = 100};

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void check_slice(const char *head, const char *what, struct slice slice, const char *wanted)
{
    if (slice.len != strlen(wanted) || memcmp(slice.at, wanted, slice.len) != 0)
        fail_msg("%s: %s is \"%.*s\"", head, what, (int)slice.len, slice.at);
}

/* Feed a text whole; it must be a complete head without anything behind. */
static struct head read_good(const char *text)
{
    struct head head;
    int outcome;

    head_init(&head);
    outcome = head_feed(&head, &limits, text, strlen(text));
    if (outcome != HEAD_DONE)
        fail_msg("%s: %d, %s", text, outcome, head.why ? head.why : "not complete");
    assert_int_equal(head.len, strlen(text));
    return head;
}

struct line_row {
    const char *line;
    const char *method;
    const char *target;
    enum http_method verb;
    int minor;
};

static void understands_request_lines(void **state)
{
    static const struct line_row rows[] = {
        {"GET / HTTP/1.1", "GET", "/", METHOD_GET, 1},
        {"HEAD /a HTTP/1.1", "HEAD", "/a", METHOD_HEAD, 1},
        {"DELETE /a HTTP/1.1", "DELETE", "/a", METHOD_DELETE, 1},
        {"OPTIONS /a HTTP/1.1", "OPTIONS", "/a", METHOD_OPTIONS, 1},
        {"OPTIONS * HTTP/1.1", "OPTIONS", "*", METHOD_OPTIONS, 1},
        {"TRACE / HTTP/1.1", "TRACE", "/", METHOD_TRACE, 1},
        {"GET / HTTP/1.0", "GET", "/", METHOD_GET, 0},
        {"GET / HTTP/1.2", "GET", "/", METHOD_GET, 1},
        {"GET / HTTP/1.9", "GET", "/", METHOD_GET, 1},
        {"\r\nGET / HTTP/1.1", "GET", "/", METHOD_GET, 1},
        {"GET //b/x HTTP/1.1", "GET", "//b/x", METHOD_GET, 1},
        {"GET /a/../b/./%2e HTTP/1.1", "GET", "/a/../b/./%2e", METHOD_GET, 1},
        {"GET /%C3%a9?a=b&c HTTP/1.1", "GET", "/%C3%a9?a=b&c", METHOD_GET, 1},
        {"GET /?q=100%&r=%zz%00 HTTP/1.1", "GET", "/?q=100%&r=%zz%00", METHOD_GET, 1},
        {"GET /a?b?c HTTP/1.1", "GET", "/a?b?c", METHOD_GET, 1},
        {"GET /!\"$&'()*+,-.:;<=>@[\\]^_`{|}~ HTTP/1.1", "GET", "/!\"$&'()*+,-.:;<=>@[\\]^_`{|}~",
         METHOD_GET, 1},
        {"GET http://a HTTP/1.1", "GET", "http://a", METHOD_GET, 1},
        {"GET hTTp://A:80/b?c HTTP/1.1", "GET", "hTTp://A:80/b?c", METHOD_GET, 1},
        {"GET http://a?b HTTP/1.1", "GET", "http://a?b", METHOD_GET, 1},
        {"GET http://a/b@c:d HTTP/1.0", "GET", "http://a/b@c:d", METHOD_GET, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        struct head head;

        (void)snprintf(text, sizeof(text), "%s\r\nHost: a\r\n\r\n", rows[i].line);
        head = read_good(text);
        check_slice(text, "method", head.method, rows[i].method);
        check_slice(text, "target", head.target, rows[i].target);
        check_slice(text, "host", head.host, "a");
        assert_int_equal(head.verb, rows[i].verb);
        assert_int_equal(head.minor, rows[i].minor);
        assert_int_equal(head.n_fields, 1);
    }
}

static void understands_methods_with_bodies(void **state)
{
    static const struct line_row rows[] = {
        {"POST", "POST", NULL, METHOD_POST, 1},
        {"PUT", "PUT", NULL, METHOD_PUT, 1},
        {"PATCH", "PATCH", NULL, METHOD_PATCH, 1},
        {"DELETE", "DELETE", NULL, METHOD_DELETE, 1},
        {"OPTIONS", "OPTIONS", NULL, METHOD_OPTIONS, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        struct head head;

        (void)snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n",
                       rows[i].line);
        head = read_good(text);
        check_slice(text, "method", head.method, rows[i].method);
        assert_int_equal(head.verb, rows[i].verb);
        assert_int_equal(head.framing, HEAD_LENGTH);
        assert_int_equal(head.content_length, 7);
    }
}

static void understands_hosts(void **state)
{
    static const struct {
        const char *head;
        const char *host;
    } rows[] = {
        {"GET / HTTP/1.1\r\nhOST:a.example\r\n\r\n", "a.example"},
        {"GET / HTTP/1.1\r\nHost: \t a.example \t\r\n\r\n", "a.example"},
        {"GET / HTTP/1.1\r\nHost: a.example.:65535\r\n\r\n", "a.example.:65535"},
        {"GET / HTTP/1.1\r\nHost: a:1\r\n\r\n", "a:1"},
        {"GET / HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n\r\n", "127.0.0.1:3000"},
        {"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "[::1]"},
        {"GET / HTTP/1.1\r\nHost: [2001:db8::1.2.3.4]:8080\r\n\r\n", "[2001:db8::1.2.3.4]:8080"},
        {"GET / HTTP/1.1\r\nHost: xn--caf-dma.example\r\n\r\n", "xn--caf-dma.example"},
        {"GET / HTTP/1.1\r\nHost: a_b-c~d!$&'()*+;=e\r\n\r\n", "a_b-c~d!$&'()*+;=e"},
        {"GET / HTTP/1.0\r\n\r\n", ""},
        {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "a"},
        {"GET http://b:81/ HTTP/1.0\r\n\r\n", "b:81"},
        {"GET http://A.Example/ HTTP/1.1\r\nHost: a.example:80\r\n\r\n", "a.example:80"},
        {"GET http://a.example:80 HTTP/1.1\r\nHost: A.EXAMPLE\r\n\r\n", "A.EXAMPLE"},
        {"GET http://[::1]:81/ HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "[::1]:81"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_slice(rows[i].head, "host", read_good(rows[i].head).host, rows[i].host);
}

static void understands_bodies(void **state)
{
    static const struct {
        const char *head;
        enum head_framing framing;
        uint64_t length;
        bool expects_continue;
    } rows[] = {
        {GET "\r\n", HEAD_NO_BODY, 0, false},
        {GET "Content-Length: 0\r\n\r\n", HEAD_NO_BODY, 0, false},
        {POST "Content-Length: 0\r\n\r\n", HEAD_NO_BODY, 0, false},
        {POST "\r\n", HEAD_NO_BODY, 0, false},
        {POST "Content-Length: 5\r\n\r\n", HEAD_LENGTH, 5, false},
        {POST "CONTENT-LENGTH:\t5\t \r\n\r\n", HEAD_LENGTH, 5, false},
        {POST "Content-Length: 000000000000000000000000005\r\n\r\n", HEAD_LENGTH, 5, false},
        {POST "Content-Length: 9223372036854775807\r\n\r\n", HEAD_LENGTH, INT64_MAX, false},
        {POST "Transfer-Encoding: chunked\r\n\r\n", HEAD_CHUNKED, 0, false},
        {POST "transfer-encoding:CHUNKED\t\r\n\r\n", HEAD_CHUNKED, 0, false},
        {"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_NO_BODY, 0, false},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_NO_BODY, 0, false},
        {"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", HEAD_LENGTH, 3, false},
        {POST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n", HEAD_LENGTH, 5, true},
        {POST "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
         HEAD_LENGTH, 5, true},
        {POST "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", HEAD_CHUNKED, 0, true},
        {POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", HEAD_NO_BODY, 0, false},
        {GET "Expect: 100-continue\r\n\r\n", HEAD_NO_BODY, 0, false},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", HEAD_LENGTH, 5,
         false},
        {"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 5\r\n\r\n", HEAD_LENGTH, 5, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head head = read_good(rows[i].head);

        if (head.framing != rows[i].framing || head.content_length != rows[i].length ||
            head.expects_continue != rows[i].expects_continue)
            fail_msg("%s: framing %d, length %llu, expects %d", rows[i].head, (int)head.framing,
                     (unsigned long long)head.content_length, head.expects_continue);
    }
}

static void knows_when_to_keep_alive(void **state)
{
    static const struct {
        const char *version;
        const char *fields;
        bool keep_alive;
    } rows[] = {
        {"1.1", "", true},
        {"1.1", "Connection: keep-alive\r\n", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "connection:CLOSE\r\n", false},
        {"1.1", "Connection: close, TE\r\n", false},
        {"1.1", "Connection: TE , Close\r\n", false},
        {"1.1", "Connection: TE,,\tclose,\r\n", false},
        {"1.1", "Connection: TE\r\nConnection: close\r\n", false},
        {"1.1", "Connection: keep-alive, close\r\n", false},
        {"1.1", "Connection: close\r\nConnection: keep-alive\r\n", false},
        {"1.1", "Connection: closed, xclose, close-\r\n", true},
        {"1.1", "Connection:\r\n", true},
        {"1.1", "X-Connection: close\r\nProxy-Connection: close\r\n", true},
        {"1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: x, keep-alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
        {"1.0", "Connection: TE\r\n", false},
        {"1.0", "Keep-Alive: timeout=5\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), "GET / HTTP/%s\r\nHost: a\r\n%s\r\n", rows[i].version,
                       rows[i].fields);
        if (read_good(text).keep_alive != rows[i].keep_alive)
            fail_msg("%s", text);
    }
}

static void walks_over_the_fields(void **state)
{
    static const char text[] = "\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nx_y!#$%&'*+.^`|~:z\r\n"
                               "X-Blank:  \t \r\nX-Text: \t a: b\t\xc3\xa9 \r\n\r\nX-Not: read\r\n";
    static const char *const wanted[][2] = {{"Host", "a"},
                                            {"X-Empty", ""},
                                            {"x_y!#$%&'*+.^`|~", "z"},
                                            {"X-Blank", ""},
                                            {"X-Text", "a: b\t\xc3\xa9"}};
    struct head head;
    struct slice name;
    struct slice value;
    size_t n = 0;

    (void)state;
    head_init(&head);
    assert_int_equal(head_feed(&head, &limits, text, sizeof(text) - 1), HEAD_DONE);
    for (size_t at = 0; head_next_field(&head, text, &at, &name, &value); n++) {
        assert_true(n < sizeof(wanted) / sizeof(wanted[0]));
        check_slice(text, "name", name, wanted[n][0]);
        check_slice(text, "value", value, wanted[n][1]);
    }
    assert_int_equal(n, 5);
    assert_int_equal(head.n_fields, 5);
    assert_string_equal(text + head.len, "X-Not: read\r\n");
}

static void walks_over_no_fields(void **state)
{
    static const char text[] = "GET / HTTP/1.0\r\n\r\n";
    struct head head = read_good(text);
    struct slice name;
    struct slice value;
    size_t at = 0;

    (void)state;
    assert_false(head_next_field(&head, text, &at, &name, &value));
}

/* Each time at another address, in memory that ends where the bytes end. */
static int feed_copy(struct head *head, const char *text, size_t len, char **kept)
{
    free(*kept);
    *kept = malloc(len);
    assert_non_null(*kept);
    memcpy(*kept, text, len);
    return head_feed(head, &limits, *kept, len);
}

static void reads_byte_by_byte(void **state)
{
    static const char text[] =
        "POST /a HTTP/1.1\r\nHost: a.example\r\nX: y\r\nContent-Length: 3\r\n\r\n";
    size_t len = sizeof(text) - 1;
    struct head head;
    char *copy = NULL;

    (void)state;
    head_init(&head);
    assert_int_equal(head_feed(&head, &limits, NULL, 0), HEAD_MORE);
    for (size_t n = 1; n < len; n++) {
        assert_int_equal(feed_copy(&head, text, n, &copy), HEAD_MORE);
        /* Nothing but a CR is left to be looked at again. */
        assert_in_range(head.lines.scanned, n - (text[n - 1] == '\r'), n);
    }
    assert_int_equal(feed_copy(&head, text, len, &copy), HEAD_DONE);
    check_slice(text, "method", head.method, "POST");
    check_slice(text, "target", head.target, "/a");
    check_slice(text, "host", head.host, "a.example");
    assert_int_equal(head.content_length, 3);
    assert_int_equal(head.len, len);
    /* Once more, moved. */
    assert_int_equal(feed_copy(&head, text, len, &copy), HEAD_DONE);
    assert_ptr_equal(head.method.at, copy);
    free(copy);
}

static void holds_to_its_limits(void **state)
{
    static const char text[] = "GET /1234 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    static const size_t len = sizeof(text) - 1;
    static const struct {
        struct head_limits limits;
        int outcome;
        enum head_limit limit;
    } rows[] = {
        {{len, 5, 2}, HEAD_DONE, HEAD_LIMIT_NONE}, {{len - 1, 5, 2}, 431, HEAD_LIMIT_BYTES},
        {{20, 5, 2}, 431, HEAD_LIMIT_BYTES},       {{19, 5, 2}, 414, HEAD_LIMIT_BYTES},
        {{0, 5, 2}, 414, HEAD_LIMIT_BYTES},        {{len, 4, 2}, 414, HEAD_LIMIT_URI},
        {{len, 5, 1}, 431, HEAD_LIMIT_FIELDS},     {{len, 5, 0}, 431, HEAD_LIMIT_FIELDS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head whole;
        struct head pieces;
        int outcome = HEAD_MORE;

        head_init(&whole);
        assert_int_equal(head_feed(&whole, &rows[i].limits, text, len), rows[i].outcome);
        assert_int_equal(whole.limit, rows[i].limit);
        head_init(&pieces);
        for (size_t n = 1; n <= len && outcome == HEAD_MORE; n++)
            outcome = head_feed(&pieces, &rows[i].limits, text, n);
        assert_int_equal(outcome, rows[i].outcome);
        assert_int_equal(pieces.limit, rows[i].limit);
    }
}

/* Controls are refused at once, not with the end of their line. */
static void refuses_early(void **state)
{
    static const char *const texts[] = {"\n",
                                        "\x16",
                                        "GET\x01",
                                        "GET /\rx",
                                        "GET / HTTP/1.1\r\nX\n",
                                        "GET / HTTP/1.1\r\nX: 12345678\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct head head;

        head_init(&head);
        assert_int_equal(head_feed(&head, &limits, texts[i], strlen(texts[i])), 400);
        assert_non_null(head.why);
        assert_int_equal(head.limit, HEAD_LIMIT_NONE);
    }
}

/* Every byte at every place within a word, among blanks that look like controls. */
static void finds_every_control_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (int place = 0; place < 24; place++) {
            char text[] = "GET / HTTP/1.0\r\nX: \t \t \t \t \t \t \t \t \t \t \t \t ";
            bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
            struct head head;

            text[18 + place] = (char)byte;
            head_init(&head);
            assert_int_equal(head_feed(&head, &limits, text, sizeof(text) - 1),
                             is_control ? 400 : HEAD_MORE);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_request_lines),
        cmocka_unit_test(understands_methods_with_bodies),
        cmocka_unit_test(understands_hosts),
        cmocka_unit_test(understands_bodies),
        cmocka_unit_test(knows_when_to_keep_alive),
        cmocka_unit_test(walks_over_the_fields),
        cmocka_unit_test(walks_over_no_fields),
        cmocka_unit_test(reads_byte_by_byte),
        cmocka_unit_test(holds_to_its_limits),
        cmocka_unit_test(refuses_early),
        cmocka_unit_test(finds_every_control_byte),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
