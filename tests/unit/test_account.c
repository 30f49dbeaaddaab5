/*
 * Requests that are over are counted on the scoreboard, each once, however they
 * ended; with a clock that a test moves on.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server_state.h"
#include "ipc/scoreboard.h"
#include "server_fixture.h"

#define CONF                                                         \
    FIXTURE_LATER "route \"/hello\" { handler = text body = hello }" \
                  "route \"/quiet\" { handler = text body = quiet access_log = no }"

#define HOST          " HTTP/1.1\r\nHost: a\r\n"
#define GET           "GET /hello" HOST "\r\n"
#define CLASS(status) ((status) / 100 - 1)

static struct http_server *server;
static int64_t now_ms;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_us(void);

int64_t __wrap_clock_now_ms(void)
{
    return now_ms;
}

int64_t __wrap_clock_now_us(void)
{
    return now_ms * 1000;
}

static int set_up(void **state)
{
    (void)state;
    now_ms = 1000000;
    server = fixture_serve(CONF);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end();
    return 0;
}

static struct scoreboard_traffic read_traffic(void)
{
    struct scoreboard_traffic traffic;

    scoreboard_read_traffic(server->settings.scoreboard, &traffic);
    return traffic;
}

static uint64_t count_answers(void)
{
    struct scoreboard_traffic traffic = read_traffic();
    uint64_t n = 0, timed = 0;

    for (size_t i = 0; i < SCOREBOARD_CLASSES; i++)
        for (size_t j = 0; j < SCOREBOARD_METHODS; j++)
            n += traffic.answers[i][j];
    for (size_t i = 0; i <= SCOREBOARD_LATENCY_BOUNDS; i++)
        timed += traffic.latency[i];
    assert_int_equal(timed, n);
    return n;
}

static void every_answer_counts_once(void **state)
{
    static const struct {
        const char *request;
        int status;
        enum scoreboard_method method;
    } rows[] = {
        {GET, 200, SCOREBOARD_GET},
        {"GET /quiet" HOST "\r\n", 200, SCOREBOARD_GET},
        {"HEAD /hello" HOST "\r\n", 200, SCOREBOARD_HEAD},
        {"GET /nothing" HOST "\r\n", 404, SCOREBOARD_GET},
        {"POST /hello" HOST "Content-Length: 2\r\n\r\nab", 200, SCOREBOARD_POST},
        {"POST /hello" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200,
         SCOREBOARD_POST},
        {"PUT /nothing" HOST "Content-Length: 0\r\n\r\n", 404, SCOREBOARD_PUT},
        {"PATCH /nothing" HOST "Content-Length: 0\r\n\r\n", 404, SCOREBOARD_PATCH},
        {"DELETE /nothing" HOST "\r\n", 404, SCOREBOARD_DELETE},
        {"OPTIONS /nothing" HOST "\r\n", 404, SCOREBOARD_OPTIONS},
        {"TRACE /nothing" HOST "\r\n", 404, SCOREBOARD_OTHER},
        /* Refused before it was understood, and in the middle of its body. */
        {"BREW /hello" HOST "\r\n", 501, SCOREBOARD_OTHER},
        {"GET /hello HTTP/1.1\r\n\r\n", 400, SCOREBOARD_OTHER},
        {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505, SCOREBOARD_OTHER},
        {"POST /hello" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, SCOREBOARD_POST},
        {"PUT /hello" HOST "Content-Length: 99999999999\r\n\r\n", 413, SCOREBOARD_PUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t class = (size_t)CLASS(rows[i].status);
        struct scoreboard_traffic before = read_traffic(), after;
        int client = fixture_connect();
        size_t len;

        fixture_send(client, rows[i].request);
        fixture_received(client, &len);
        after = read_traffic();
        if (after.answers[class][rows[i].method] != before.answers[class][rows[i].method] + 1)
            fail_msg("%s: is not counted as %d", rows[i].request, rows[i].status);
        assert_int_equal(count_answers(), i + 1);
        assert_int_equal(after.sent, before.sent + len);
        assert_int_equal(after.accepted, i + 1);
        close(client);
        fixture_turn();
        assert_int_equal(count_answers(), i + 1);
    }
}

static void pipelined_ones_count_each(void **state)
{
    static const char one[] = GET;
    int client = fixture_connect();

    (void)state;
    fixture_send(client, GET GET GET);
    assert_int_equal(count_answers(), 3);
    assert_int_equal(read_traffic().received, 3 * strlen(one));
    assert_int_equal(read_traffic().accepted, 1);
    close(client);
}

/* "100 Continue" is no answer; the body is of the request's bytes. */
static void an_interim_response_does_not_count(void **state)
{
    static const char head[] =
        "POST /hello" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    int client = fixture_connect();

    (void)state;
    fixture_send(client, head);
    assert_non_null(strstr(fixture_received(client, NULL), "100 Continue"));
    assert_int_equal(count_answers(), 0);
    fixture_send(client, "12345");
    assert_int_equal(count_answers(), 1);
    assert_int_equal(read_traffic().answers[1][SCOREBOARD_POST], 1);
    assert_int_equal(read_traffic().received, strlen(head) + 5);
    close(client);
}

/* Before the answer, or with half a body sent; without a whole head there is no request. */
static void a_client_that_leaves_counts_as_499(void **state)
{
    static const struct {
        const char *request;
        enum scoreboard_method method;
        uint64_t answers;
    } rows[] = {
        {"PUT /hello" HOST "Content-Length: 9\r\n\r\nab", SCOREBOARD_PUT, 1},
        {"GET /hello HTTP/1.1\r\nHo", SCOREBOARD_GET, 0},
        {"", SCOREBOARD_GET, 0},
    };
    uint64_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int client = fixture_connect();

        if (rows[i].request[0] != '\0')
            fixture_send(client, rows[i].request);
        close(client);
        fixture_turn();
        n += rows[i].answers;
        assert_int_equal(count_answers(), n);
    }
    assert_int_equal(read_traffic().answers[CLASS(499)][SCOREBOARD_PUT], 1);
    assert_int_equal(read_traffic().accepted, 3);
}

/* The server goes away while the client still waits: not answered, and counted all the same. */
static void a_request_that_is_cut_off_counts(void **state)
{
    int client = fixture_connect();

    (void)state;
    fixture_send(client, "GET /later" HOST "\r\n");
    assert_int_equal(count_answers(), 0);
    connections_clear(server);
    assert_int_equal(count_answers(), 1);
    assert_int_equal(read_traffic().answers[CLASS(499)][SCOREBOARD_GET], 1);
    close(client);
}

/* From the first byte of the request to the last one of the answer. */
static void durations_are_measured(void **state)
{
    int client = fixture_connect();

    (void)state;
    fixture_send(client, "GET /hello HTTP/1.1\r\n");
    now_ms += 7;
    fixture_send(client, "Host: a\r\n\r\n");
    assert_int_equal(read_traffic().latency_sum_us, 7000);
    assert_int_equal(read_traffic().latency[4], 1); /* up to 10 ms */
    fixture_send(client, GET);
    assert_int_equal(read_traffic().latency_sum_us, 7000);
    assert_int_equal(read_traffic().latency[0], 1);
    close(client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_answer_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipelined_ones_count_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interim_response_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_counts_as_499, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_that_is_cut_off_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(durations_are_measured, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
