/*
 * Both sides of the control socket on one loop: the client asks, and hears.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/client.h"
#include "control/line.h"
#include "control_fixture.h"

#define TURNS 12

/* What was heard of one question, one line behind the other, '!' behind the last. */
struct heard {
    char text[512];
    int lasts;
    struct control_client **freed; /* free that client when a line comes, */
    struct heard *asks;            /* or ask again for this one, */
    uint64_t forgets;              /* or forget that id */
    struct control_client *client; /* for both */
};

static void on_heard(const json_t *line, bool is_last, void *arg)
{
    struct heard *heard = arg;
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT) : strdup("end");

    strncat(heard->text, text, sizeof(heard->text) - strlen(heard->text) - 2);
    strcat(heard->text, is_last ? "!" : "\n");
    heard->lasts += is_last;
    free(text);
    if (heard->asks != NULL &&
        control_client_ask(heard->client, "fail", NULL, on_heard, heard->asks) == 0)
        strcat(heard->asks->text, "not asked");
    if (heard->forgets != 0)
        control_client_forget(heard->client, heard->forgets);
    if (heard->freed != NULL && *heard->freed != NULL) {
        control_client_free(*heard->freed);
        *heard->freed = NULL;
    }
}

/* A client of the fixture's server. */
static struct control_client *connect_client(struct control_fixture *fixture)
{
    struct control_client *client;

    assert_int_equal(control_client_adopt(fixture->base, control_fixture_adopt(fixture), &client),
                     0);
    assert_true(control_client_is_connected(client));
    return client;
}

/* A client of nobody: *ret_peer is what a server would have. */
static struct control_client *connect_alone(struct control_fixture *fixture, int *ret_peer)
{
    struct control_client *client;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(control_client_adopt(fixture->base, fds[0], &client), 0);
    *ret_peer = fds[1];
    return client;
}

static uint64_t ask(struct control_client *client, const char *command, json_t *arguments,
                    struct heard *heard)
{
    return control_client_ask(client, command, arguments, on_heard, heard);
}

static void hears_answers(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = connect_client(fixture);
    struct heard heard[4] = {{.lasts = 0}};

    assert_int_equal(ask(client, "echo", json_pack("{si}", "to", 4), &heard[0]), 1);
    assert_int_equal(ask(client, "progress", NULL, &heard[1]), 2);
    assert_int_equal(ask(client, "fail", json_object(), &heard[2]), 3);
    assert_int_equal(ask(client, "echo", json_pack("{siss}", "id", 99, "command", "x"), &heard[3]),
                     4);
    assert_string_equal(heard[0].text, "");
    control_fixture_turn(fixture, TURNS);
    assert_string_equal(heard[0].text,
                        "{\"id\":1,\"ok\":true,\"text\":\"pong\",\"result\":{\"to\":4}}!");
    assert_string_equal(heard[1].text,
                        "{\"id\":2,\"progress\":{\"done\":1,\"total\":2},\"text\":\"half\"}\n"
                        "{\"id\":2,\"event\":7}\n"
                        "{\"id\":2,\"ok\":true}!");
    assert_string_equal(heard[2].text, "{\"id\":3,\"ok\":false,\"error\":\"unknown-slot\","
                                       "\"text\":\"there is no slot 9\"}!");
    assert_string_equal(heard[3].text, "{\"id\":4,\"ok\":true,\"text\":\"pong\",\"result\":{}}!");
    control_client_free(client);
    control_client_free(NULL);
}

static void hears_the_end(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = connect_client(fixture);
    struct heard heard[2] = {{.lasts = 0}}, again = {.lasts = 0};

    heard[0].client = client;
    heard[0].asks = &again;
    assert_true(ask(client, "hold", NULL, &heard[0]) != 0);
    assert_true(ask(client, "hold", NULL, &heard[1]) != 0);
    control_fixture_turn(fixture, TURNS);
    control_fixture_free(fixture, 0);
    control_fixture_turn(fixture, TURNS);
    assert_string_equal(heard[0].text, "end!");
    assert_string_equal(heard[1].text, "end!");
    assert_string_equal(again.text, "not asked");
    assert_false(control_client_is_connected(client));
    assert_int_equal(ask(client, "echo", json_object(), &heard[0]), 0);
    control_client_free(client);
}

static void forgets(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = connect_client(fixture);
    struct heard heard[3] = {{.lasts = 0}};
    uint64_t id = ask(client, "echo", NULL, &heard[0]);

    heard[1].client = client;
    heard[1].forgets = ask(client, "progress", NULL, &heard[1]);
    control_client_forget(client, id);
    control_client_forget(client, id);
    control_client_forget(client, 99);
    assert_true(ask(client, "echo", NULL, &heard[2]) != 0);
    control_fixture_turn(fixture, TURNS);
    assert_string_equal(heard[0].text, "");
    assert_int_equal(heard[1].lasts, 0);
    assert_null(strstr(heard[1].text, "event"));
    assert_int_equal(heard[2].lasts, 1);
    control_client_free(client);
}

/* By the first line of several, by a last one, by the end of the connection. */
static void may_be_freed_when_it_hears(void **state)
{
    static const char *const commands[] = {"progress", "fail", "free"};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct control_fixture *fixture = *state;
        struct control_client *client = connect_client(fixture);
        struct heard heard[2] = {{.freed = &client}, {.freed = NULL}};

        assert_true(ask(client, commands[i], NULL, &heard[0]) != 0);
        assert_true(ask(client, "echo", NULL, &heard[1]) != 0);
        control_fixture_turn(fixture, TURNS);
        assert_null(client);
        assert_true(strlen(heard[0].text) > 0);
        assert_string_equal(heard[1].text, "");
        assert_int_equal(control_fixture_end(state), 0);
        assert_int_equal(control_fixture_begin(state), 0);
    }
}

/* What is no answer ends the connection, an answer of nothing asked does not. */
static void judges_answers(void **state)
{
    static const struct {
        const char *sent;
        const char *heard;
    } rows[] = {
        {"{\"id\":1,\"ok\":true}\n", "{\"id\":1,\"ok\":true}!"},
        {"{\"id\":2,\"ok\":true}\n{\"id\":1,\"x\":{}}\n", "{\"id\":1,\"x\":{}}\n"},
        {"{\"id\":\"1\",\"ok\":true}\n{\"id\":null}\n{}\n", ""},
        {"{\"id\":null,\"ok\":false,\"error\":\"not-allowed\"}\n",
         "{\"id\":null,\"ok\":false,\"error\":\"not-allowed\"}!"},
        {"{\"id\":1,\"ok\":true}", ""},
        {"[1]\n{\"id\":1,\"ok\":true}\n", "end!"},
        {"garbage\n", "end!"},
        {"\n", "end!"},
    };
    struct control_fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heard heard = {.lasts = 0};
        int peer;
        struct control_client *client = connect_alone(fixture, &peer);

        assert_true(ask(client, "x", NULL, &heard) != 0);
        control_fixture_turn(fixture, 2);
        assert_string_equal(control_fixture_received(peer), "{\"id\":1,\"command\":\"x\"}\n");
        control_fixture_send(fixture, peer, rows[i].sent);
        if (strcmp(heard.text, rows[i].heard) != 0)
            fail_msg("%s: %s", rows[i].sent, heard.text);
        assert_int_equal(control_client_is_connected(client), strcmp(heard.text, "end!") != 0);
        control_client_free(client);
        (void)close(peer);
    }
}

/* A refusal is for what was asked before it: what asks again because of it waits for the end. */
static void may_ask_again_when_refused(void **state)
{
    struct control_fixture *fixture = *state;
    struct heard heard = {.lasts = 0}, again = {.lasts = 0};
    int peer;
    struct control_client *client = connect_alone(fixture, &peer);

    heard.client = client;
    heard.asks = &again;
    assert_true(ask(client, "x", NULL, &heard) != 0);
    control_fixture_send(fixture, peer, "{\"id\":null,\"ok\":false}\n");
    assert_int_equal(heard.lasts, 1);
    assert_string_equal(again.text, "");
    (void)close(peer);
    control_fixture_turn(fixture, TURNS);
    assert_string_equal(again.text, "end!");
    control_client_free(client);
}

/* The server may have said why before it closed, and sending fails by then. */
static void hears_why_it_was_turned_away(void **state)
{
    struct control_fixture *fixture = *state;
    struct heard heard = {.lasts = 0};
    int peer;
    struct control_client *client = connect_alone(fixture, &peer);

    assert_true(send(peer, "{\"id\":null,\"ok\":false}\n", 23, 0) == 23);
    (void)close(peer);
    assert_true(ask(client, "x", NULL, &heard) != 0);
    control_fixture_turn(fixture, TURNS);
    assert_string_equal(heard.text, "{\"id\":null,\"ok\":false}!");
    assert_false(control_client_is_connected(client));
    control_client_free(client);
}

static void sends_no_request_that_is_too_long(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = connect_client(fixture);
    struct heard heard = {.lasts = 0};
    char text[CONTROL_LINE_MAX];
    size_t len = CONTROL_LINE_MAX - strlen("{\"id\":1,\"command\":\"echo\",\"a\":\"\"}\n");

    memset(text, 'a', sizeof(text));
    assert_int_equal(ask(client, "echo", json_pack("{ss%}", "a", text, len + 1), &heard), 0);
    assert_int_equal(ask(client, "echo", json_pack("{ss%}", "a", text, len), &heard), 1);
    control_fixture_turn(fixture, TURNS);
    assert_int_equal(heard.lasts, 1);
    control_client_free(client);
}

/* A server that does not read must not fill our memory. */
static void limits_what_waits(void **state)
{
    struct control_fixture *fixture = *state;
    struct heard heard = {.lasts = 0};
    int peer, asked = 0;
    struct control_client *client = connect_alone(fixture, &peer);
    char text[4000] = "";

    memset(text, 'a', sizeof(text) - 1);
    while (asked < 10000 && ask(client, "x", json_pack("{ss}", "a", text), &heard) != 0)
        asked++;
    assert_in_range(asked, 200, 1000);
    control_client_free(client);
    assert_int_equal(heard.lasts, 0);
    (void)close(peer);
}

static void hears_long_answers(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = connect_client(fixture);
    struct heard heard = {.lasts = 0};

    assert_true(ask(client, "blob", json_pack("{si}", "size", 4000000), &heard) != 0);
    for (int i = 0; i < 10000 && heard.lasts == 0; i++)
        control_fixture_turn(fixture, 1);
    assert_int_equal(strncmp(heard.text, "{\"id\":1,\"ok\":true,\"text\":\"xxx", 28), 0);
    control_client_free(client);
}

static void says_why_it_cannot_connect(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_client *client = NULL;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/zombie-client-XXXXXX", longer[200];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_non_null(mkdtemp(folder));
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", folder);
    assert_int_equal(control_client_connect(fixture->base, name.sun_path, &client), -ENOENT);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(control_client_connect(fixture->base, name.sun_path, &client), -ECONNREFUSED);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(control_client_connect(fixture->base, name.sun_path, &client), 0);
    control_client_free(client);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(control_client_connect(fixture->base, longer, &client), -ENAMETOOLONG);
    assert_int_equal(unlink(name.sun_path) | rmdir(folder) | close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, control_fixture_begin, control_fixture_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(hears_answers),
        TEST(hears_the_end),
        TEST(forgets),
        TEST(may_be_freed_when_it_hears),
        TEST(judges_answers),
        TEST(may_ask_again_when_refused),
        TEST(hears_why_it_was_turned_away),
        TEST(sends_no_request_that_is_too_long),
        TEST(limits_what_waits),
        TEST(hears_long_answers),
        TEST(says_why_it_cannot_connect),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
