/*
 * Heads of answers that are understood, and how; the limits; the walk over the
 * fields. What is refused is in test_response_refused.c.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/response.h"

static const struct response_limits limits = {.bytes = 16384, .fields = 100};

#define OK     "HTTP/1.1 200 OK\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"

/* What a row's request was. */
enum { PLAIN = 0, TO_HEAD = 1, ASKS_UPGRADE = 2 };

static void begin(struct response *response, int request)
{
    response_init(response, (request & TO_HEAD) != 0, (request & ASKS_UPGRADE) != 0);
}

static void check_slice(const char *text, const char *what, struct slice slice, const char *wanted)
{
    if (slice.len != strlen(wanted) || (slice.len > 0 && memcmp(slice.at, wanted, slice.len) != 0))
        fail_msg("%s: %s is \"%.*s\"", text, what, (int)slice.len, slice.at);
}

static void check_same(const char *text, size_t cut, const struct response *a,
                       const struct response *b)
{
    if (a->outcome != b->outcome || a->len != b->len || a->n_fields != b->n_fields ||
        a->status != b->status || a->minor != b->minor || a->framing != b->framing ||
        a->has_length != b->has_length || a->content_length != b->content_length ||
        a->keep_alive != b->keep_alive || a->is_upgrade != b->is_upgrade ||
        a->reason.len != b->reason.len)
        fail_msg("%s: cut at %zu it is another", text, cut);
}

/* Feed a text that is a complete head, whole, in any two parts and byte by byte. */
static struct response read_good(const char *text, int request)
{
    size_t len = strlen(text);
    struct response whole;
    struct response bytewise;
    int outcome;

    begin(&whole, request);
    outcome = response_feed(&whole, &limits, text, len);
    if (outcome != RESPONSE_DONE)
        fail_msg("%s: %d, %s", text, outcome, whole.why ? whole.why : "not complete");
    assert_int_equal(whole.len, len);
    begin(&bytewise, request);
    for (size_t cut = 0; cut < len; cut++) {
        struct response parts;

        begin(&parts, request);
        assert_int_equal(response_feed(&parts, &limits, text, cut), RESPONSE_MORE);
        assert_int_equal(response_feed(&parts, &limits, text, len), RESPONSE_DONE);
        check_same(text, cut, &whole, &parts);
        assert_int_equal(response_feed(&bytewise, &limits, text, cut), RESPONSE_MORE);
    }
    assert_int_equal(response_feed(&bytewise, &limits, text, len), RESPONSE_DONE);
    check_same(text, len, &whole, &bytewise);
    return whole;
}

static void understands_status_lines(void **state)
{
    static const struct {
        const char *line;
        int status;
        int minor;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 200 OK", 200, 1, "OK"},
        {"HTTP/1.0 200 OK", 200, 0, "OK"},
        {"HTTP/1.2 200 OK", 200, 1, "OK"},
        {"HTTP/1.9 200 OK", 200, 1, "OK"},
        {"HTTP/1.1 200 ", 200, 1, ""},
        {"HTTP/1.1 200", 200, 1, ""},
        {"HTTP/1.1 404 Not Found", 404, 1, "Not Found"},
        {"HTTP/1.1 100 Continue", 100, 1, "Continue"},
        {"HTTP/1.1 103 Early Hints", 103, 1, "Early Hints"},
        {"HTTP/1.1 599 x", 599, 1, "x"},
        {"HTTP/1.1 299 200 OK", 299, 1, "200 OK"},
        {"HTTP/1.1 200  OK\t ", 200, 1, " OK\t "},
        {"HTTP/1.1 200 \xc3\xa9t\xe9", 200, 1, "\xc3\xa9t\xe9"},
        {"HTTP/1.1 200 HTTP/1.1 500 no: really", 200, 1, "HTTP/1.1 500 no: really"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        struct response response;

        (void)snprintf(text, sizeof(text), "%s\r\nA: b\r\n\r\n", rows[i].line);
        response = read_good(text, PLAIN);
        check_slice(text, "reason", response.reason, rows[i].reason);
        assert_int_equal(response.status, rows[i].status);
        assert_int_equal(response.minor, rows[i].minor);
        assert_int_equal(response.n_fields, 1);
    }
}

static void understands_bodies(void **state)
{
    static const struct {
        const char *head;
        int request;
        enum response_framing framing;
        bool has_length;
        uint64_t length;
    } rows[] = {
        {OK "\r\n", PLAIN, RESPONSE_UNTIL_CLOSE, false, 0},
        {"HTTP/1.0 200 OK\r\n\r\n", PLAIN, RESPONSE_UNTIL_CLOSE, false, 0},
        {"HTTP/1.1 205 x\r\n\r\n", PLAIN, RESPONSE_UNTIL_CLOSE, false, 0},
        {OK "Content-Length: 0\r\n\r\n", PLAIN, RESPONSE_NO_BODY, true, 0},
        {OK "Content-Length: 5\r\n\r\n", PLAIN, RESPONSE_LENGTH, true, 5},
        {OK "CONTENT-length:\t005 \r\n\r\n", PLAIN, RESPONSE_LENGTH, true, 5},
        {OK "Content-Length: 9223372036854775807\r\n\r\n", PLAIN, RESPONSE_LENGTH, true, INT64_MAX},
        {OK "Content-Length: 5\r\nA: b\r\nContent-Length: 5\r\n\r\n", PLAIN, RESPONSE_LENGTH, true,
         5},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", PLAIN, RESPONSE_LENGTH, true, 5},
        {OK "Transfer-Encoding: chunked\r\n\r\n", PLAIN, RESPONSE_CHUNKED, false, 0},
        {OK "transfer-ENCODING:\t Chunked \r\n\r\n", PLAIN, RESPONSE_CHUNKED, false, 0},
        {OK "Content_Length: 5\r\nX-Content-Length: 6\r\n\r\n", PLAIN, RESPONSE_UNTIL_CLOSE, false,
         0},
        {OK "Content-Length: 5\r\n\r\n", TO_HEAD, RESPONSE_NO_BODY, true, 5},
        {OK "Transfer-Encoding: chunked\r\n\r\n", TO_HEAD, RESPONSE_NO_BODY, false, 0},
        {OK "\r\n", TO_HEAD, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", PLAIN, RESPONSE_NO_BODY, true, 5},
        {"HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 204 x\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {"HTTP/1.1 199 x\r\n\r\n", PLAIN, RESPONSE_NO_BODY, false, 0},
        {SWITCH "Connection: upgrade\r\nUpgrade: x\r\n\r\n", ASKS_UPGRADE, RESPONSE_NO_BODY, false,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct response response = read_good(rows[i].head, rows[i].request);

        if (response.framing != rows[i].framing || response.has_length != rows[i].has_length ||
            response.content_length != rows[i].length)
            fail_msg("%s: framing %d, length %llu", rows[i].head, (int)response.framing,
                     (unsigned long long)response.content_length);
    }
}

static void knows_when_to_keep_alive(void **state)
{
    static const struct {
        const char *head;
        int request;
        bool keep_alive;
    } rows[] = {
        {OK "Content-Length: 5\r\n", PLAIN, true},
        {OK "Content-Length: 0\r\n", PLAIN, true},
        {OK "Transfer-Encoding: chunked\r\n", PLAIN, true},
        {OK, PLAIN, false},
        {OK "Connection: keep-alive\r\n", PLAIN, false},
        {OK, TO_HEAD, true},
        {OK "Content-Length: 5\r\nConnection: close\r\n", PLAIN, false},
        {OK "Content-Length: 5\r\nconnection:X,\tCLOSE ,\r\n", PLAIN, false},
        {OK "Content-Length: 5\r\nConnection: keep-alive\r\nConnection: close\r\n", PLAIN, false},
        {OK "Content-Length: 5\r\nConnection: closed, xclose\r\n", PLAIN, true},
        {OK "Content-Length: 5\r\nConnection:\r\n", PLAIN, true},
        {OK "Content-Length: 5\r\nProxy-Connection: close\r\n", PLAIN, true},
        {"HTTP/1.0 200 x\r\nContent-Length: 5\r\n", PLAIN, false},
        {"HTTP/1.0 200 x\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n", PLAIN, true},
        {"HTTP/1.0 200 x\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n", PLAIN, false},
        {"HTTP/1.0 200 x\r\nConnection: keep-alive\r\n", PLAIN, false},
        {"HTTP/1.1 304 x\r\nContent-Length: 5\r\n", PLAIN, true},
        {"HTTP/1.1 204 x\r\n", PLAIN, true},
        {"HTTP/1.1 204 x\r\nContent-Length: 0\r\n", PLAIN, true},
        {"HTTP/1.1 204 x\r\nContent-Length: 5\r\n", PLAIN, false},
        {"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n", PLAIN, false},
        {"HTTP/1.1 204 x\r\nContent-Length: 5\r\n", TO_HEAD, false},
        {"HTTP/1.1 100 x\r\n", PLAIN, true},
        {"HTTP/1.1 103 x\r\nContent-Length: 5\r\n", PLAIN, false},
        {"HTTP/1.1 100 x\r\nConnection: close\r\n", PLAIN, false},
        {SWITCH "Connection: upgrade\r\nUpgrade: x\r\n", ASKS_UPGRADE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), "%s\r\n", rows[i].head);
        if (read_good(text, rows[i].request).keep_alive != rows[i].keep_alive)
            fail_msg("%s", text);
    }
}

static void knows_an_upgrade(void **state)
{
    static const struct {
        const char *head;
        bool is_upgrade;
    } rows[] = {
        {SWITCH "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", true},
        {SWITCH "connection:keep-alive ,\tUPGRADE\r\nUPGRADE:a/1, b\r\n\r\n", true},
        {SWITCH "Upgrade:\r\nUpgrade: x\r\nConnection: x\r\nConnection: upgrade\r\n\r\n", true},
        {OK "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false},
        {"HTTP/1.1 426 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", false},
        {"HTTP/1.1 100 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (read_good(rows[i].head, ASKS_UPGRADE).is_upgrade != rows[i].is_upgrade)
            fail_msg("%s", rows[i].head);
    }
}

static void walks_over_the_fields(void **state)
{
    static const char text[] = OK "X-Empty:\r\nx_y!#$%&'*+.^`|~:z\r\nX-Blank:  \t \r\n"
                                  "X-Text: \t a: b\t\xc3\xa9 \r\n\r\nX-Not: read\r\n";
    static const char *const wanted[][2] = {
        {"X-Empty", ""}, {"x_y!#$%&'*+.^`|~", "z"}, {"X-Blank", ""}, {"X-Text", "a: b\t\xc3\xa9"}};
    struct response response;
    struct slice name;
    struct slice value;
    size_t n = 0;

    (void)state;
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &limits, text, sizeof(text) - 1), RESPONSE_DONE);
    assert_string_equal(text + response.len, "X-Not: read\r\n");
    for (size_t at = 0; response_next_field(&response, text, &at, &name, &value); n++) {
        assert_true(n < sizeof(wanted) / sizeof(wanted[0]));
        check_slice(text, "name", name, wanted[n][0]);
        check_slice(text, "value", value, wanted[n][1]);
    }
    assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
    assert_int_equal(response.n_fields, n);
}

static void walks_over_no_fields(void **state)
{
    static const char text[] = OK "\r\nA: b\r\n";
    struct response response;
    struct slice name;
    struct slice value;
    size_t at = 0;

    (void)state;
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &limits, text, sizeof(text) - 1), RESPONSE_DONE);
    assert_false(response_next_field(&response, text, &at, &name, &value));
    assert_int_equal(response.n_fields, 0);
}

static void follows_moved_bytes(void **state)
{
    static const char text[] = OK "A: b\r\n\r\n";
    char copy[sizeof(text)];
    struct response response;

    (void)state;
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &limits, text, sizeof(text) - 1), RESPONSE_DONE);
    memcpy(copy, text, sizeof(text));
    assert_int_equal(response_feed(&response, &limits, copy, sizeof(copy) - 1), RESPONSE_DONE);
    assert_ptr_equal(response.reason.at, copy + 13);
}

/* A head of exactly `size` bytes, of which one value is padding. */
static size_t write_head(char *text, size_t size)
{
    static const char front[] = OK "A: ";

    memset(text, 'x', size);
    memcpy(text, front, sizeof(front) - 1);
    memcpy(text + size - 4, "\r\n\r\n", 4);
    return size;
}

/* The limit is on the head alone, whatever follows it at once. */
static void holds_to_its_size(void **state)
{
    const struct response_limits small = {.bytes = 64, .fields = 100};

    (void)state;
    for (size_t size = 62; size <= 67; size++) {
        char text[128] = {0};
        int wanted = size <= 64 ? RESPONSE_DONE : -EMSGSIZE;

        (void)write_head(text, size);
        for (size_t cut = 0; cut <= size; cut++) {
            struct response response;

            response_init(&response, false, false);
            if (response_feed(&response, &small, text, cut) != RESPONSE_MORE)
                assert_true(cut == size || cut == 65 || cut == 66);
            assert_int_equal(response_feed(&response, &small, text, sizeof(text)), wanted);
            assert_true(wanted == RESPONSE_DONE || response.why != NULL);
        }
    }
}

/* A status line without an end is one of those. */
static void holds_to_its_size_in_front(void **state)
{
    const struct response_limits small = {.bytes = 64, .fields = 100};
    char text[128];
    struct response response;

    (void)state;
    memset(text, 'x', sizeof(text));
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &small, text, 64), RESPONSE_MORE);
    assert_int_equal(response_feed(&response, &small, text, 65), -EMSGSIZE);
    assert_string_equal(response.why, "the head is too long");
}

static void holds_to_its_number_of_fields(void **state)
{
    const struct response_limits few = {.bytes = 16384, .fields = 3};
    static const char *const texts[] = {OK "A: b\r\nA: b\r\nA: b\r\n\r\n",
                                        OK "A: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"};
    struct response response;

    (void)state;
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &few, texts[0], strlen(texts[0])), RESPONSE_DONE);
    assert_int_equal(response.n_fields, 3);
    response_init(&response, false, false);
    assert_int_equal(response_feed(&response, &few, texts[1], strlen(texts[1])), -EMSGSIZE);
    assert_string_equal(response.why, "there are too many header lines");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_status_lines),
        cmocka_unit_test(understands_bodies),
        cmocka_unit_test(knows_when_to_keep_alive),
        cmocka_unit_test(knows_an_upgrade),
        cmocka_unit_test(walks_over_the_fields),
        cmocka_unit_test(walks_over_no_fields),
        cmocka_unit_test(follows_moved_bytes),
        cmocka_unit_test(holds_to_its_size),
        cmocka_unit_test(holds_to_its_size_in_front),
        cmocka_unit_test(holds_to_its_number_of_fields),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
