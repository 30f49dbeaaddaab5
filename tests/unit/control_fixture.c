#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control_fixture.h"

static void echo(struct control_fixture *fixture, struct control_request *request,
                 const json_t *arguments)
{
    (void)fixture;
    control_succeed(request, "pong", json_deep_copy(arguments));
}

static void hold(struct control_fixture *fixture, struct control_request *request,
                 const json_t *arguments)
{
    (void)arguments;
    assert_in_range(fixture->n_held, 0, FIXTURE_HELD - 1);
    fixture->held[fixture->n_held++] = request;
}

static void follow(struct control_fixture *fixture, struct control_request *request,
                   const json_t *arguments)
{
    hold(fixture, request, arguments);
    control_request_yields(request);
}

static void progress(struct control_fixture *fixture, struct control_request *request,
                     const json_t *arguments)
{
    (void)fixture;
    (void)arguments;
    control_progress(request, 1, 2, "half");
    control_send(request, "event", json_integer(7));
    control_send(request, "nothing", NULL);
    control_succeed(request, NULL, NULL);
}

static void fail_it(struct control_fixture *fixture, struct control_request *request,
                    const json_t *arguments)
{
    (void)fixture;
    (void)arguments;
    control_fail(request, CONTROL_UNKNOWN_SLOT, "there is no slot %d", 9);
}

static void blob(struct control_fixture *fixture, struct control_request *request,
                 const json_t *arguments)
{
    size_t len = (size_t)json_integer_value(json_object_get(arguments, "size"));
    char *text = malloc(len + 1);

    (void)fixture;
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    control_succeed(request, text, NULL);
    free(text);
}

static void free_it(struct control_fixture *fixture, struct control_request *request,
                    const json_t *arguments)
{
    (void)request;
    (void)arguments;
    control_fixture_free(fixture, 0);
}

static void on_request(struct control_request *request, const char *command,
                       const json_t *arguments, void *arg)
{
    static const struct {
        const char *name;
        void (*run)(struct control_fixture *fixture, struct control_request *request,
                    const json_t *arguments);
    } commands[] = {{"echo", echo}, {"hold", hold},    {"follow", follow}, {"progress", progress},
                    {"blob", blob}, {"fail", fail_it}, {"free", free_it}};
    struct control_fixture *fixture = arg;

    fixture->n_requests++;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, command) == 0) {
            commands[i].run(fixture, request, arguments);
            return;
        }
    control_fail(request, CONTROL_UNKNOWN_COMMAND, "what is %s?", command);
}

static void on_dropped(struct control_request *request, void *arg)
{
    struct control_fixture *fixture = arg;

    assert_non_null(control_peer(request));
    fixture->n_dropped++;
    for (unsigned i = 0; i < fixture->n_held; i++)
        if (fixture->held[i] == request)
            fixture->held[i] = NULL;
    if (fixture->free_when_dropped)
        control_fixture_free(fixture, 0);
}

int control_fixture_begin(void **state)
{
    static struct control_fixture fixture;
    struct control_server_settings settings = {
        .request = on_request, .dropped = on_dropped, .arg = &fixture};

    fixture = (struct control_fixture){.base = event_base_new()};
    settings.base = fixture.base;
    *state = &fixture;
    return control_server_new(&settings, &fixture.server);
}

void control_fixture_free(struct control_fixture *fixture, int wait_ms)
{
    struct control_server *server = fixture->server;

    fixture->server = NULL;
    control_server_free(server, wait_ms);
}

int control_fixture_end(void **state)
{
    struct control_fixture *fixture = *state;

    control_fixture_free(fixture, 0);
    event_base_free(fixture->base);
    return 0;
}

void control_fixture_turn(struct control_fixture *fixture, int n)
{
    for (int i = 0; i < n; i++)
        assert_true(event_base_loop(fixture->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

int control_fixture_adopt(struct control_fixture *fixture)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(evutil_make_socket_nonblocking(fds[1]), 0);
    assert_int_equal(control_server_adopt(fixture->server, fds[0]), 0);
    return fds[1];
}

void control_fixture_send(struct control_fixture *fixture, int client, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(send(client, text, len, MSG_NOSIGNAL), len);
    control_fixture_turn(fixture, 6);
}

const char *control_fixture_received(int client)
{
    static char received[1 << 20];
    size_t len = 0;
    ssize_t n;

    while ((n = recv(client, received + len, sizeof(received) - 1 - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    received[len] = '\0';
    return received;
}

bool control_fixture_is_closed(int client)
{
    char byte;
    ssize_t n = recv(client, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}
