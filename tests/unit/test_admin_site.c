/*
 * The admin site as a whole: what comes through, how often the master is asked, and what
 * happens when it does not answer.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin_fixture.h"
#include "control/server.h"

static void many_who_ask_are_one_question(void **state)
{
    struct client clients[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        fixture_ask(&clients[i], GET("/status"));
    assert_int_equal(fixture_asked(), 1);
    assert_string_equal(fixture_command(0), "status");
    fixture_hang_up(&clients[1]);
    fixture_tell_status(0, 7);
    fixture_await(&clients[0], "{\"pid\":7}");
    fixture_await(&clients[2], "{\"pid\":7}");
    fixture_expect(GET("/status"), "{\"pid\":7}"); /* still fresh */
    assert_int_equal(fixture_asked(), 1);
    fixture_hang_up(&clients[0]);
    fixture_hang_up(&clients[2]);
}

static void a_master_that_is_gone_is_said_so(void **state)
{
    struct client client;

    (void)state;
    fixture_ask(&client, GET("/status"));
    fixture_lose_master();
    fixture_await(&client, "503 Service Unavailable");
    fixture_await(&client, "the master is gone");
    fixture_hang_up(&client);
    fixture_expect(GET("/status"), "the master is gone");
    fixture_expect(POST("/scale", 8, "{\"to\":3}"), "\"text\":\"the master is gone\"");
    fixture_expect(GET("/livez"), "HTTP/1.1 503");
}

static void a_master_that_is_silent_is_not_waited_for(void **state)
{
    struct client client;

    (void)state;
    fixture_hurry(true);
    fixture_ask(&client, GET("/status"));
    fixture_await(&client, "the master does not answer");
    fixture_hurry(false);
    fixture_hang_up(&client);
    fixture_turn();
    fixture_ask(&client, GET("/status"));
    assert_int_equal(fixture_asked(), 2); /* it is asked again, and now it answers both */
    fixture_tell_status(0, 1);
    fixture_tell_status(1, 2);
    fixture_await(&client, "{\"pid\":2}");
    fixture_hang_up(&client);
}

static void orders_are_passed_on(void **state)
{
    struct client client;

    (void)state;
    fixture_ask(&client, POST("/scale", 8, "{\"to\":3}"));
    assert_int_equal(fixture_asked(), 1);
    assert_string_equal(fixture_command(0), "scale");
    assert_string_equal(fixture_arguments(0), "{\"to\":3}");
    control_progress(fixture_request(0), 1, 3, "one");
    fixture_turn();
    control_succeed(fixture_request(0), "3 workers", NULL);
    fixture_await(&client, "{\"ok\":true,\"text\":\"3 workers\"}\n");
    assert_memory_equal(client.got, "HTTP/1.1 200 ", 13);
    fixture_hang_up(&client);

    fixture_ask(&client, POST("/kill", 10, "{\"slot\":1}"));
    assert_string_equal(fixture_arguments(1), "{\"chaos\":true,\"signal\":\"KILL\",\"slot\":1}");
    fixture_hang_up(&client); /* nobody waits; the master is done all the same */
    control_succeed(fixture_request(1), NULL, NULL);
    fixture_turn();
}

/* An order holds when nobody waits for it, so it counts until the master is done. */
static void orders_leave_room_for_questions(void **state)
{
    static struct client clients[8];
    struct client client;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        fixture_ask(&clients[i], POST("/restart", 0, ""));
    assert_int_equal(fixture_asked(), 8);
    fixture_hang_up(&clients[3]);
    fixture_ask(&client, POST("/scale", 8, "{\"to\":3}"));
    fixture_await(&client, "\"error\":\"too-many\"");
    assert_memory_equal(client.got, "HTTP/1.1 503 ", 13);
    assert_non_null(strstr(client.got, "\r\nRetry-After: 5\r\n"));
    fixture_hang_up(&client);
    assert_int_equal(fixture_asked(), 8);
    fixture_ask(&client, GET("/status"));
    fixture_tell_status(8, 7);
    fixture_await(&client, "{\"pid\":7}");
    fixture_hang_up(&client);

    control_succeed(fixture_request(3), NULL, NULL);
    fixture_turn();
    fixture_ask(&clients[3], POST("/restart", 0, ""));
    assert_int_equal(fixture_asked(), 10);
    fixture_expect(POST("/restart", 0, ""), "too-many");
    control_fail(fixture_request(0), CONTROL_REFUSED, "no");
    fixture_await(&clients[0], "409 Conflict");
    fixture_hang_up(&clients[0]);
    fixture_ask(&clients[0], POST("/restart", 0, ""));
    assert_int_equal(fixture_asked(), 11);
    fixture_lose_master();
    for (size_t i = 0; i < 8; i++) {
        fixture_await(&clients[i], "the master is gone");
        fixture_hang_up(&clients[i]);
    }
    fixture_expect(POST("/restart", 0, ""), "the master is gone");
}

static void orders_that_take_long_count_as_well(void **state)
{
    struct client client;

    (void)state;
    fixture_hurry(true);
    for (size_t i = 0; i < 8; i++)
        fixture_expect(POST("/restart", 0, ""), "has not finished within 30 s, and goes on");
    fixture_hurry(false);
    fixture_expect(POST("/restart", 0, ""), "too-many");
    control_succeed(fixture_request(7), NULL, NULL);
    fixture_turn();
    fixture_ask(&client, POST("/restart", 0, ""));
    control_succeed(fixture_request(8), "done", NULL);
    fixture_await(&client, "done");
    fixture_hang_up(&client);
}

static void refusals_have_their_status(void **state)
{
    static const struct {
        enum control_error error;
        const char *status;
    } rows[] = {
        {CONTROL_BAD_ARGUMENT, "HTTP/1.1 400 "}, {CONTROL_UNKNOWN_SLOT, "HTTP/1.1 404 "},
        {CONTROL_NOT_ALLOWED, "HTTP/1.1 403 "},  {CONTROL_REFUSED, "HTTP/1.1 409 "},
        {CONTROL_FAILED, "HTTP/1.1 503 "},       {CONTROL_TOO_MANY, "HTTP/1.1 503 "},
    };
    struct client client;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_ask(&client, POST("/restart", 0, ""));
        control_fail(fixture_request(i), rows[i].error, "because");
        fixture_await(&client, "\"text\":\"because\"");
        assert_memory_equal(client.got, rows[i].status, 13);
        assert_non_null(strstr(client.got, control_error_name(rows[i].error)));
        fixture_hang_up(&client);
    }
}

static void the_door_is_watched(void **state)
{
    (void)state;
    fixture_expect("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421 ");
    fixture_expect("POST /scale HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
                   "WWW-Authenticate: Bearer realm=\"zombie-server\"\r\n");
    fixture_expect("POST /scale HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"
                   "Content-Length: 0\r\n\r\n",
                   "error=\"invalid_token\"");
    fixture_expect("POST /scale HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " FIXTURE_TOKEN
                   "\r\n"
                   "Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
                   "HTTP/1.1 403 ");
    fixture_expect(POST("/scale", 2, "[]"), "HTTP/1.1 400 ");
    fixture_expect(GET("/scale"), "HTTP/1.1 405 ");
    fixture_expect(GET("/nothing"), "HTTP/1.1 404 ");
    assert_int_equal(fixture_asked(), 0);
}

/* Which of them counts is not for us to choose. */
static void fields_that_decide_come_once(void **state)
{
#define RIGHT "Authorization: Bearer " FIXTURE_TOKEN "\r\n"
#define ORDER(fields) \
    "POST /scale HTTP/1.1\r\nHost: localhost\r\n" fields "Content-Length: 0\r\n\r\n"
#define SAYS(field) "{\"ok\":false,\"error\":\"bad-request\",\"text\":\"" field " is repeated\"}\n"
    static const struct {
        const char *request;
        const char *text;
    } rows[] = {
        {ORDER(RIGHT "authorization: Bearer x\r\n"), SAYS("Authorization")},
        {ORDER(RIGHT RIGHT), SAYS("Authorization")},
        {ORDER(RIGHT "Origin: http://localhost\r\nOrigin: null\r\n"), SAYS("Origin")},
        {ORDER(RIGHT "Sec-Fetch-Site: none\r\nX: y\r\nSEC-FETCH-SITE: cross-site\r\n"),
         SAYS("Sec-Fetch-Site")},
        {"GET /status HTTP/1.1\r\nHost: localhost\r\n" RIGHT RIGHT "\r\n",
         "\r\n\r\nAuthorization is repeated\n"},
        {"GET /livez HTTP/1.1\r\nHost: localhost\r\nOrigin: a\r\nOrigin:\r\n\r\n",
         "\r\n\r\nOrigin is repeated\n"},
        {"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "Host is repeated"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client;

        fixture_ask(&client, rows[i].request);
        fixture_await(&client, rows[i].text);
        assert_memory_equal(client.got, "HTTP/1.1 400 ", 13);
        fixture_hang_up(&client);
    }
    assert_int_equal(fixture_asked(), 0);
}

static void without_a_token_nobody_gives_orders(void **state)
{
    static char no_token[] = "";

    (void)state;
    fixture_teardown_site(NULL);
    fixture_start(no_token);
    fixture_expect(POST("/restart", 0, ""), "there is no admin.token");
}

static void the_page_is_whole(void **state)
{
    static const char *const fields[] = {
        "Content-Type: text/html; charset=utf-8\r\n",
        "default-src 'none'",
        "script-src 'sha256-",
        "style-src 'sha256-",
        "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "ETag: \"",
    };
    struct client client;
    char again[256];

    (void)state;
    fixture_ask(&client, GET("/"));
    fixture_await(&client, "</html>");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strstr(client.got, fields[i]) == NULL)
            fail_msg("%s is missing", fields[i]);
    fixture_hang_up(&client);
    const char *etag = strstr(client.got, "ETag: ") + 6;
    snprintf(again, sizeof again,
             "GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %.*s\r\n\r\n",
             (int)strcspn(etag, "\r"), etag);
    fixture_expect(again, "HTTP/1.1 304 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_site, fixture_teardown_site)
    static const struct CMUnitTest tests[] = {
        TEST(many_who_ask_are_one_question),
        TEST(a_master_that_is_gone_is_said_so),
        TEST(a_master_that_is_silent_is_not_waited_for),
        TEST(orders_are_passed_on),
        TEST(orders_leave_room_for_questions),
        TEST(orders_that_take_long_count_as_well),
        TEST(refusals_have_their_status),
        TEST(the_door_is_watched),
        TEST(fields_that_decide_come_once),
        TEST(without_a_token_nobody_gives_orders),
        TEST(the_page_is_whole),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
