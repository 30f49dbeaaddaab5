/* GET /discovery and what /metrics says of the registry: the directory over HTTP. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin_fixture.h"
#include "discovery/directory.h"

static struct member make_member(const char *id, const char *host, uint32_t port)
{
    struct member member;

    member_init(&member);
    assert_true(member_set_id(&member, id, strlen(id)));
    assert_true(member_set_host(&member, host, strlen(host)));
    member.port = port;
    return member;
}

static int set_up(void **state)
{
    static const char *const names[] = {"api", "a b"};
    struct member members[] = {make_member("one", "10.0.0.1", 80), make_member("two", "::1", 81)};

    fixture_setup_site(state);
    members[1].is_down = 1;
    directory_give(fixture_directory, getpid());
    directory_set_services(fixture_directory, names, 2);
    directory_set_members(fixture_directory, "api", members, 2, DIRECTORY_STALE);
    return 0;
}

#define ONE                                                                           \
    "{\"id\":\"one\",\"host\":\"10.0.0.1\",\"port\":80,\"weight\":1,\"max_fails\":1," \
    "\"fail_timeout_ms\":10000,\"down\":false}"

#define LATER "503 Service Unavailable"

static void answers(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *text;
    } rows[] = {
        {GET("/discovery"), "200 OK", "\"count\":2,\"up\":1},{\"service\":\"a b\","},
        {GET("/discovery/api"), "200 OK", "\"members\":[" ONE ",{\"id\":\"two\",\"host\":\"::1\","},
        {GET("/discovery/api?choose=round_robin"), "200 OK",
         "{\"service\":\"api\",\"origin\":\"stale\",\"member\":" ONE "}\n"},
        {GET("/discovery/api?choose=random"), "200 OK", "\"member\":" ONE "}\n"},
        {GET("/discovery/api?key=a%20b&choose=sticky"), "200 OK", "\"member\":" ONE "}\n"},
        {GET("/discovery/a%20b"), LATER, "\"changed\":null,\"members\":[]}\n"},
        {GET("/discovery/a%20b?choose=random"), LATER,
         "\r\n\r\nthe registry has not said yet who a b is\n"},
        {GET("/discovery/none"), "404 Not Found", "\r\n\r\nnone is not looked up: "},
        {GET("/discovery/no%0d%0ane"), "404 Not Found", "\r\n\r\nthis service is not looked up: "},
        {GET("/discovery/api?choose=sticky"), "400 Bad Request", "\r\n\r\nsticky needs a key\n"},
        {GET("/discovery/api?choose=best"), "400 Bad Request", "\r\n\r\nwhat can be chosen by is "},
        {GET("/discovery/api?choose="), "400 Bad Request", "\r\n\r\nthe query may have "},
        {GET("/discovery/api?choose=random&choose=random"), "400 Bad Request", "each once"},
        {GET("/discovery/api?limit=1"), "400 Bad Request", "\r\n\r\nthe query may have "},
        {GET("/discovery/api?key=%zz"), "400 Bad Request", "\r\n\r\nthe query has a bad escape\n"},
        {GET("/discovery?choose=random"), "400 Bad Request", "there is no service to choose from"},
        {GET("/discovery/api/x"), "404 Not Found", "404"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client client;

        fixture_ask(&client, rows[i].request);
        fixture_await(&client, rows[i].text);
        if (strncmp(client.got + strlen("HTTP/1.1 "), rows[i].status, strlen(rows[i].status)) != 0)
            fail_msg("%s: %s", rows[i].request, client.got);
        assert_true(i + 1 == sizeof(rows) / sizeof(rows[0]) ||
                    strstr(client.got, "\r\nCache-Control: no-store\r\n") != NULL);
        assert_int_equal(strstr(client.got, "\r\nRetry-After: ") != NULL,
                         strcmp(rows[i].status, LATER) == 0);
        fixture_hang_up(&client);
    }
}

static void metrics_say_how_it_is(void **state)
{
    struct directory_registration told = {.state = DIRECTORY_REGISTERED, .heard_ms = 1500};
    struct client client;

    (void)state;
    directory_set_registration(fixture_directory, &told);
    directory_add(fixture_directory, DIRECTORY_FORGOTTEN);
    directory_add(fixture_directory, DIRECTORY_HEARTBEATS);
    fixture_ask(&client, GET("/metrics"));
    fixture_await(&client, "\nzombie_registry_origin{service=\"a b\",origin=\"current\"} 0\n");
    assert_non_null(strstr(client.got, "\nzombie_registry_registered 1\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_state{state=\"registered\"} 1\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_state{state=\"off\"} 0\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_last_answer_time_seconds 1.5\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_heartbeats_total 1\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_failures_total{kind=\"task\"} 0\n"));
    assert_non_null(strstr(client.got, "\nzombie_registry_failures_total{kind=\"forgotten\"} 1\n"));
    assert_non_null(
        strstr(client.got, "\nzombie_registry_members{service=\"api\",state=\"up\"} 1\n"));
    assert_non_null(
        strstr(client.got, "\nzombie_registry_origin{service=\"api\",origin=\"stale\"} 1\n"));
    fixture_hang_up(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers),
        TEST(metrics_say_how_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
