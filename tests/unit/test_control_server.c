/*
 * The control socket over socket pairs: what is answered, what ends a
 * connection, and what the owner may do meanwhile.
 */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/server_state.h"
#include "control_fixture.h"

#define GARBAGE_ANSWER "{\"id\":null,\"ok\":false,\"error\":\"bad-request\",\"text\":"

static void answers(void **state)
{
    static const struct {
        const char *sent;
        const char *received;
    } rows[] = {
        {"{\"id\":1,\"command\":\"echo\"}\n",
         "{\"id\":1,\"ok\":true,\"text\":\"pong\",\"result\":{}}\n"},
        {"{\"id\":2,\"command\":\"echo\",\"a\":[true]}\n",
         "{\"id\":2,\"ok\":true,\"text\":\"pong\",\"result\":{\"a\":[true]}}\n"},
        {"{\"id\":3,\"command\":\"progress\"}\n",
         "{\"id\":3,\"progress\":{\"done\":1,\"total\":2},\"text\":\"half\"}\n"
         "{\"id\":3,\"event\":7}\n"
         "{\"id\":3,\"ok\":true}\n"},
        {"{\"id\":4,\"command\":\"fail\"}\n", "{\"id\":4,\"ok\":false,\"error\":\"unknown-slot\","
                                              "\"text\":\"there is no slot 9\"}\n"},
        {"{\"id\":5,\"command\":\"huh\"}\n", "{\"id\":5,\"ok\":false,\"error\":\"unknown-command\","
                                             "\"text\":\"what is huh?\"}\n"},
        {"{\"id\":6,\"command\":\"\"}\n{\"id\":6,\"command\":\"fail\"}\n",
         "{\"id\":6,\"ok\":false,\"error\":\"bad-request\","
         "\"text\":\"\\\"command\\\" must be a name of 1 to 64 bytes\"}\n"
         "{\"id\":6,\"ok\":false,\"error\":\"unknown-slot\",\"text\":\"there is no slot 9\"}\n"},
    };
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        control_fixture_send(fixture, client, rows[i].sent);
        assert_string_equal(control_fixture_received(client), rows[i].received);
    }
    assert_int_equal(fixture->n_dropped, 0);
    (void)close(client);
}

static void answers_later_and_in_any_order(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);

    control_fixture_send(fixture, client,
                         "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n");
    assert_string_equal(control_fixture_received(client), "");
    control_succeed(fixture->held[1], NULL, NULL);
    control_progress(fixture->held[0], 0, 1, "\xff");
    control_fail(fixture->held[0], CONTROL_FAILED, "%s", "late");
    control_fixture_turn(fixture, 2);
    assert_string_equal(control_fixture_received(client),
                        "{\"id\":2,\"ok\":true}\n"
                        "{\"id\":1,\"progress\":{\"done\":0,\"total\":1},"
                        "\"text\":\"\xef\xbf\xbd\"}\n"
                        "{\"id\":1,\"ok\":false,\"error\":\"failed\",\"text\":\"late\"}\n");
    (void)close(client);
}

static void says_who_asks(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);

    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"hold\"}\n");
    assert_true(control_peer(fixture->held[0])->is_admin);
    assert_int_equal(control_peer(fixture->held[0])->pid, getpid());
    assert_int_equal(control_peer(fixture->held[0])->uid, geteuid());
    (void)close(client);
}

/* Told why, then closed; nothing behind it is looked at, what is open is dropped. */
static void refuses_garbage(void **state)
{
    static const char *const rows[] = {
        "garbage\n",
        "\n",
        "[]\n",
        "{\"command\":\"echo\"}\n",
        "{\"id\":1,\"command\":\"echo\"}\n",
        "{\"id\":1}\n",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct control_fixture *fixture = *state;
        int client = control_fixture_adopt(fixture);
        const char *received;
        char text[256];

        (void)snprintf(text, sizeof(text), "%s%s%s", "{\"id\":1,\"command\":\"hold\"}\n", rows[i],
                       "{\"id\":3,\"command\":\"echo\"}\n");
        control_fixture_send(fixture, client, text);
        assert_int_equal(fixture->n_requests, 1);
        assert_int_equal(fixture->n_dropped, 1);
        received = control_fixture_received(client);
        if (strncmp(received, GARBAGE_ANSWER, strlen(GARBAGE_ANSWER)) != 0 ||
            strchr(received, '\n') != received + strlen(received) - 1)
            fail_msg("%s: %s", rows[i], received);
        assert_true(control_fixture_is_closed(client));
        (void)close(client);
        control_fixture_turn(fixture, 2);
        assert_int_equal(fixture->server->n_connections, 0);
        assert_int_equal(control_fixture_end(state), 0);
        assert_int_equal(control_fixture_begin(state), 0);
    }
}

/* A request of exactly this length, newline included. */
static char *make_request(size_t len)
{
    static const char head[] = "{\"id\":1,\"command\":\"echo\",\"a\":\"", tail[] = "\"}\n";
    char *text = malloc(len + 1);

    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + len - (sizeof(tail) - 1), tail, sizeof(tail));
    return text;
}

static void takes_lines_up_to_the_limit(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);
    char *longest = make_request(CONTROL_LINE_MAX), *longer = make_request(CONTROL_LINE_MAX + 1);

    control_fixture_send(fixture, client, longest);
    assert_non_null(strstr(control_fixture_received(client), "\"ok\":true"));
    control_fixture_send(fixture, client, longer);
    assert_string_equal(control_fixture_received(client),
                        GARBAGE_ANSWER "\"a request is a line of at most 4096 bytes\"}\n");
    assert_true(control_fixture_is_closed(client));
    assert_int_equal(fixture->n_requests, 1);
    free(longest);
    free(longer);
    (void)close(client);
}

/* No byte of a flood is taken for ever, and the time of a refused client is up at last. */
static void a_refused_client_cannot_go_on(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);
    static const char flood[65536];
    size_t sent = 0;

    control_fixture_send(fixture, client, "garbage\n");
    for (int i = 0; i < 1000; i++) {
        ssize_t n = send(client, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        control_fixture_turn(fixture, 1);
    }
    assert_in_range(sent, 65536, 1 << 20);
    assert_true(event_pending(TAILQ_FIRST(&fixture->server->connections)->timer, EV_TIMEOUT, NULL));
    event_active(TAILQ_FIRST(&fixture->server->connections)->timer, EV_TIMEOUT, 0);
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->server->n_connections, 0);
    assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), -1);
    (void)close(client);
}

static void limits_open_requests(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);
    char text[64];

    for (int id = 1; id <= CONTROL_REQUESTS_MAX + 1; id++) {
        assert_string_equal(control_fixture_received(client), "");
        (void)snprintf(text, sizeof(text), "{\"id\":%d,\"command\":\"hold\"}\n", id);
        control_fixture_send(fixture, client, text);
    }
    assert_string_equal(control_fixture_received(client),
                        "{\"id\":17,\"ok\":false,\"error\":\"too-many\","
                        "\"text\":\"too many requests are open\"}\n");
    assert_int_equal(fixture->n_held, CONTROL_REQUESTS_MAX);
    control_succeed(fixture->held[3], NULL, NULL);
    control_fixture_send(fixture, client, "{\"id\":17,\"command\":\"fail\"}\n");
    assert_non_null(strstr(control_fixture_received(client), "unknown-slot"));
    (void)close(client);
}

static void drops_what_a_gone_client_has_asked(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture), other = control_fixture_adopt(fixture);

    control_fixture_send(fixture, other, "{\"id\":1,\"command\":\"hold\"}\n");
    control_fixture_send(fixture, client,
                         "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n"
                         "{\"id\":3,\"comm");
    (void)close(client);
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->n_dropped, 2);
    assert_int_equal(fixture->server->n_connections, 1);
    control_succeed(fixture->held[0], NULL, NULL);
    control_fixture_turn(fixture, 2);
    assert_string_equal(control_fixture_received(other), "{\"id\":1,\"ok\":true}\n");
    (void)close(other);
}

/* A pipe into socat: asks, sends no more, and waits for the answer. */
static void answers_who_sends_no_more(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);

    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"hold\"}\n");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    control_fixture_turn(fixture, 4);
    assert_int_equal(fixture->n_dropped, 0);
    control_progress(fixture->held[0], 1, 2, "half");
    control_fixture_turn(fixture, 4);
    assert_non_null(strstr(control_fixture_received(client), "half"));
    control_succeed(fixture->held[0], NULL, NULL);
    control_fixture_turn(fixture, 4);
    assert_string_equal(control_fixture_received(client), "{\"id\":1,\"ok\":true}\n");
    assert_true(control_fixture_is_closed(client));
    assert_int_equal(fixture->server->n_connections, 0);
    (void)close(client);
}

/* Its end shows no more, so it is looked after. */
static void notices_that_such_a_client_has_gone(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);
    struct event *timer;

    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"hold\"}\n");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    control_fixture_turn(fixture, 2);
    timer = TAILQ_FIRST(&fixture->server->connections)->timer;
    event_active(timer, EV_TIMEOUT, 0);
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->n_dropped, 0);
    assert_true(event_pending(timer, EV_TIMEOUT, NULL));
    (void)close(client);
    event_active(timer, EV_TIMEOUT, 0);
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->n_dropped, 1);
    assert_int_equal(fixture->server->n_connections, 0);
}

/* The owner never blocks, and is not interrupted: the end comes from the loop. */
static void cuts_off_who_does_not_read(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture), other = control_fixture_adopt(fixture);
    json_t *piece = json_string("0123456789012345678901234567890123456789");
    int sent = 0;

    control_fixture_send(fixture, client,
                         "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n");
    for (; sent < CONTROL_BACKLOG_MAX && fixture->server->n_connections == 2; sent++)
        control_send(fixture->held[0], "log", json_incref(piece));
    assert_int_equal(fixture->server->n_connections, 1);
    assert_in_range(sent, CONTROL_BACKLOG_MAX / 100, CONTROL_BACKLOG_MAX / 50);
    assert_int_equal(fixture->n_dropped, 0);
    control_send(fixture->held[0], "log", json_incref(piece));
    control_progress(fixture->held[0], 1, 2, "more");
    control_succeed(fixture->held[0], "end", json_incref(piece));
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->n_dropped, 1);
    control_fixture_send(fixture, other, "{\"id\":1,\"command\":\"echo\"}\n");
    assert_non_null(strstr(control_fixture_received(other), "pong"));
    json_decref(piece);
    (void)close(client);
    (void)close(other);
}

/* As much as may wait arrives, whatever the socket's buffer holds. */
static void sends_long_answers_whole(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);
    size_t received = 0, ends = 0;

    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"blob\",\"size\":4194000}\n");
    for (int i = 0; i < 1000 && ends == 0; i++) {
        const char *text = control_fixture_received(client);

        received += strlen(text);
        ends += strchr(text, '\n') != NULL;
        control_fixture_turn(fixture, 1);
    }
    assert_int_equal(received, 4194000 + strlen("{\"id\":1,\"ok\":true,\"text\":\"\"}\n"));
    assert_in_range(TAILQ_FIRST(&fixture->server->connections)->out.size, 0, 65536);
    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"blob\",\"size\":4194304}\n");
    assert_int_equal(fixture->server->n_connections, 0);
    (void)close(client);
}

/* One buffer a turn: whoever floods does not keep the others waiting. */
static void is_fair(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture), other = control_fixture_adopt(fixture);
    static const char line[] = "{\"id\":1,\"command\":\"fail\"}\n";

    while (send(client, line, sizeof(line) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        continue;
    assert_int_equal(send(other, line, sizeof(line) - 1, MSG_NOSIGNAL), sizeof(line) - 1);
    control_fixture_turn(fixture, 1);
    assert_in_range(fixture->n_requests, 2, CONTROL_LINE_MAX / (sizeof(line) - 1) + 1);
    control_fixture_turn(fixture, 1);
    assert_non_null(strstr(control_fixture_received(other), "unknown-slot"));
    (void)close(client);
    (void)close(other);
}

static void may_be_freed_in_a_request(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture);

    control_fixture_send(fixture, client,
                         "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"free\"}\n"
                         "{\"id\":3,\"command\":\"echo\"}\n");
    assert_null(fixture->server);
    assert_int_equal(fixture->n_requests, 2);
    assert_int_equal(fixture->n_dropped, 2);
    assert_true(control_fixture_is_closed(client));
    (void)close(client);
}

static void may_be_freed_when_a_request_is_dropped(void **state)
{
    static const char *const ends[] = {NULL, "garbage\n"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct control_fixture *fixture = *state;
        int client = control_fixture_adopt(fixture), other = control_fixture_adopt(fixture);

        control_fixture_send(fixture, other, "{\"id\":1,\"command\":\"hold\"}\n");
        control_fixture_send(fixture, client,
                             "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n");
        fixture->free_when_dropped = true;
        if (ends[i] != NULL)
            control_fixture_send(fixture, client, ends[i]);
        (void)close(client);
        control_fixture_turn(fixture, 2);
        assert_null(fixture->server);
        assert_int_equal(fixture->n_dropped, 3);
        (void)close(other);
        assert_int_equal(control_fixture_end(state), 0);
        assert_int_equal(control_fixture_begin(state), 0);
    }
}

/* Last words are sent without the loop, but not waited for beyond the limit. */
static void last_words_are_sent(void **state)
{
    for (int wait_ms = 0; wait_ms <= 20; wait_ms += 20) {
        struct control_fixture *fixture = *state;
        int stalled = control_fixture_adopt(fixture), client = control_fixture_adopt(fixture);

        control_fixture_send(fixture, stalled,
                             "{\"id\":1,\"command\":\"blob\",\"size\":4000000}\n");
        control_fixture_send(fixture, client,
                             "{\"id\":1,\"command\":\"hold\"}\n{\"id\":2,\"command\":\"hold\"}\n");
        control_succeed(fixture->held[0], "stopped", NULL);
        control_fixture_free(fixture, wait_ms);
        assert_int_equal(fixture->n_dropped, 1);
        assert_string_equal(control_fixture_received(client),
                            "{\"id\":1,\"ok\":true,\"text\":\"stopped\"}\n");
        assert_true(control_fixture_is_closed(client));
        (void)close(client);
        (void)close(stalled);
        assert_int_equal(control_fixture_end(state), 0);
        assert_int_equal(control_fixture_begin(state), 0);
    }
}

/* In a child: read so much, and say by the status whether it came. */
static pid_t read_in_child(int client, size_t expected)
{
    static char bytes[65536];
    pid_t pid = fork();
    ssize_t n;

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    while ((n = recv(client, bytes, sizeof(bytes), 0)) > 0)
        if ((expected -= (size_t)n) == 0)
            _exit(0);
    _exit(1);
}

static void last_words_are_waited_for(void **state)
{
    struct control_fixture *fixture = *state;
    int client = control_fixture_adopt(fixture), status;
    size_t len = 4000000 + strlen("{\"id\":1,\"ok\":true,\"text\":\"\"}\n");
    pid_t pid;

    control_fixture_send(fixture, client, "{\"id\":1,\"command\":\"blob\",\"size\":4000000}\n");
    assert_int_equal(fcntl(client, F_SETFL, 0), 0);
    pid = read_in_child(client, len);
    control_fixture_free(fixture, 30000);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, control_fixture_begin, control_fixture_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(answers),
        TEST(answers_later_and_in_any_order),
        TEST(says_who_asks),
        TEST(refuses_garbage),
        TEST(takes_lines_up_to_the_limit),
        TEST(a_refused_client_cannot_go_on),
        TEST(limits_open_requests),
        TEST(drops_what_a_gone_client_has_asked),
        TEST(answers_who_sends_no_more),
        TEST(notices_that_such_a_client_has_gone),
        TEST(cuts_off_who_does_not_read),
        TEST(sends_long_answers_whole),
        TEST(is_fair),
        TEST(may_be_freed_in_a_request),
        TEST(may_be_freed_when_a_request_is_dropped),
        TEST(last_words_are_sent),
        TEST(last_words_are_waited_for),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
