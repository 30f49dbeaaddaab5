/*
 * Answers of servers, good and bad, however the bytes are cut.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zombiectl/chaos_response.h"

#define OK       "HTTP/1.1 200 OK\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n"

struct row {
    const char *text;
    int status;
    uint64_t content;
    bool keeps_alive;
    size_t behind; /* bytes that belong to no answer */
};

static enum chaos_reading feed_in_steps(struct chaos_response *response, const char *text,
                                        size_t len, size_t step, size_t *ret_at)
{
    enum chaos_reading reading = CHAOS_MORE;

    chaos_response_init(response);
    for (*ret_at = 0; *ret_at < len && reading == CHAOS_MORE;) {
        size_t consumed = 0;
        size_t n = len - *ret_at < step ? len - *ret_at : step;

        reading = chaos_response_feed(response, text + *ret_at, n, &consumed);
        assert_true(consumed <= n && (consumed == n || reading != CHAOS_MORE));
        *ret_at += consumed;
    }
    return reading;
}

static void check_whole(const struct row *row, size_t step)
{
    static struct chaos_response response;
    size_t at = 0;
    enum chaos_reading reading = feed_in_steps(&response, row->text, strlen(row->text), step, &at);

    if (reading != CHAOS_WHOLE || response.status != row->status ||
        response.content != row->content || response.keeps_alive != row->keeps_alive ||
        at + row->behind != strlen(row->text))
        fail_msg("step %zu, %s: %d, %s, status %d, content %d, keeps %d, %zu bytes", step,
                 row->text, reading, response.why != NULL ? response.why : "", response.status,
                 (int)response.content, response.keeps_alive, at);
    assert_int_equal(chaos_response_end(&response), CHAOS_WHOLE);
}

static void whole_answers(void **state)
{
    static const struct row rows[] = {
        {OK "Content-Length: 5\r\n\r\nhello", 200, 5, true, 0},
        {OK "Content-Length: 0\r\n\r\n", 200, 0, true, 0},
        {OK "content-LENGTH:\t007 \r\n\r\n1234567", 200, 7, true, 0},
        {OK "Content-Length: 1\r\n\r\naHTTP", 200, 1, true, 4},
        {OK "Content-Length: 1\r\nConnection: close\r\n\r\na", 200, 1, false, 0},
        {OK "Content-Length: 1\r\nConnection: x, Close ,y\r\n\r\na", 200, 1, false, 0},
        {OK "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, 0,
         false, 0},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0, false, 0},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 200, 0, true, 0},
        {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", 404, 0, true, 0},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", 503, 2, true, 0},
        {"HTTP/1.1 599 \xff\xfe\r\nContent-Length: 0\r\n\r\n", 599, 0, true, 0},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, true, 0},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, 0, true, 0},
        {"HTTP/1.1 304 Not Modified\r\n\r\nx", 304, 0, true, 1},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK "Content-Length: 1\r\n\r\n1", 200, 1,
         true, 0},
        {"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK
         "Content-Length: 0\r\n\r\n",
         200, 0, true, 0},
        {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 0, true, 0},
        {OK "Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx: y\r\n"
            "\r\nrest",
         200, 13, true, 4},
        {OK "X:\r\nContent-Length: 0\r\nX: a:b\r\n\r\n", 200, 0, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_whole(&rows[i], strlen(rows[i].text));
        check_whole(&rows[i], 1);
        check_whole(&rows[i], 7);
    }
}

static void malformed_answers(void **state)
{
    static const char *const rows[] = {
        "\r\n",
        "\n",
        "hello\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 x\r\n",
        "HTTP/1.1 600 x\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.2 200 OK\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n",
        " HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\n",
        "HTTP/1.1 200 O\x01K\r\n",
        "HTTP/1.1 200 O\rK\r\n",
        OK "Content-Length 5\r\n",
        OK "Content-Length : 5\r\n",
        OK ": 5\r\n",
        OK " x: y\r\n",
        OK "X: a\r\n b\r\n",
        OK "X: a\x7f\r\n",
        OK "X: a\n",
        OK "\n",
        OK "Content-Length: \r\n",
        OK "Content-Length: +5\r\n",
        OK "Content-Length: -1\r\n",
        OK "Content-Length: 5, 5\r\n",
        OK "Content-Length: 0x5\r\n",
        OK "Content-Length: 1234567890123456789\r\n",
        OK "Content-Length: 5\r\nContent-Length: 5\r\n",
        OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        OK "Transfer-Encoding: gzip, chunked\r\n",
        OK "Transfer-Encoding: identity\r\n",
        OK "Transfer-Encoding: \r\n",
        OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n",
        OK "Connection: a b\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nhello\r\n",
    };
    static struct chaos_response response;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t step = 1; step <= 1000; step += 999) {
            size_t at = 0;
            enum chaos_reading reading =
                feed_in_steps(&response, rows[i], strlen(rows[i]), step, &at);

            if (reading != CHAOS_BAD || response.why == NULL)
                fail_msg("step %zu: %s: %d", step, rows[i], reading);
            assert_int_equal(chaos_response_end(&response), CHAOS_BAD);
        }
    }
}

static void parts_of_answers(void **state)
{
    static const char *const rows[] = {
        OK "Content-Length: 5\r\n\r\nhello",
        OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\n1",
    };
    static struct chaos_response response;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t len = 0; len < strlen(rows[i]); len++) {
            size_t at = 0;

            if (feed_in_steps(&response, rows[i], len, len + 1, &at) != CHAOS_MORE ||
                chaos_response_end(&response) != CHAOS_MORE)
                fail_msg("%s: %zu bytes are enough", rows[i], len);
        }
    }
}

static void answer_ends_with_the_connection(void **state)
{
    static struct chaos_response response;
    static const char text[] = OK "\r\nhello";
    size_t at = 0;

    (void)state;
    assert_int_equal(feed_in_steps(&response, text, strlen(text), 3, &at), CHAOS_MORE);
    assert_int_equal(response.content, 5);
    assert_int_equal(chaos_response_end(&response), CHAOS_WHOLE);
    assert_false(response.keeps_alive);
}

/* The same piece n times, behind the line of an interim answer. */
static enum chaos_reading feed_endless(const char *piece, size_t n)
{
    static struct chaos_response response;
    enum chaos_reading reading;
    size_t at = 0;

    chaos_response_init(&response);
    reading = chaos_response_feed(&response, CONTINUE, strlen(CONTINUE), &at);
    for (size_t i = 0; i < n && reading == CHAOS_MORE; i++)
        reading = chaos_response_feed(&response, piece, strlen(piece), &at);
    return reading;
}

static void heads_have_limits(void **state)
{
    (void)state;
    assert_int_equal(feed_endless("x", CHAOS_LINE_MAX), CHAOS_MORE);
    assert_int_equal(feed_endless("x", CHAOS_LINE_MAX + 1), CHAOS_BAD);
    assert_int_equal(feed_endless("x: y\r\n", (CHAOS_HEAD_MAX - strlen(CONTINUE)) / 6), CHAOS_MORE);
    assert_int_equal(feed_endless("x: y\r\n", CHAOS_HEAD_MAX / 6), CHAOS_BAD);
    assert_int_equal(feed_endless("\r\n" CONTINUE, CHAOS_HEAD_MAX / 25), CHAOS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers),     cmocka_unit_test(malformed_answers),
        cmocka_unit_test(parts_of_answers),  cmocka_unit_test(answer_ends_with_the_connection),
        cmocka_unit_test(heads_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
