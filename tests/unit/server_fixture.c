#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf_fixture.h"
#include "http/identity.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"
#include "server_fixture.h"

#define TURNS 5 /* of the loop, for events that lead to others */

#define RECEIVED_SIZE ((size_t)1 << 20)

static struct event_base *base;
static struct conf *conf;
static struct scoreboard *scoreboard;
static struct worker_identity identity = {.instance = "test", .worker = 1, .slot = 1};
static struct http_server *server;
static char *received;

static void die(enum chaos_mode mode, uint32_t after_ms, const char *client, void *arg)
{
    (void)mode;
    (void)after_ms;
    (void)client;
    (void)arg;
    fail_msg("nobody has asked for that");
}

static void load(const char *conf_text)
{
    char error[CONF_ERROR_SIZE];

    assert_int_equal(fixture_setup(NULL), 0);
    fixture_put("server.conf", conf_text);
    if (fixture_load_file("server.conf", &conf, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(fixture_teardown(NULL), 0);
}

struct http_server *fixture_serve(const char *conf_text)
{
    struct http_server_settings settings = {.identity = &identity, .access_log_fd = -1, .die = die};

    load(conf_text);
    assert_int_equal(scoreboard_new(1, &scoreboard), 0);
    base = event_base_new();
    received = malloc(RECEIVED_SIZE);
    assert_non_null(base);
    assert_non_null(received);
    settings.base = base;
    settings.conf = conf;
    settings.scoreboard = scoreboard_at(scoreboard, 0);
    assert_int_equal(http_server_new(&settings, &server), 0);
    return server;
}

void fixture_turn(void)
{
    for (int i = 0; i < TURNS; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

int fixture_connect(void)
{
    struct address peer;
    const char *why;
    int ends[2];

    assert_int_equal(address_parse(FIXTURE_CLIENT, &peer, &why), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    connection_accept(server, ends[1], &peer);
    return ends[0];
}

void fixture_send(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    fixture_turn();
}

const char *fixture_received(int client, size_t *ret_len)
{
    size_t len = 0;
    ssize_t n;

    while ((n = recv(client, received + len, RECEIVED_SIZE - 1 - len, 0)) > 0) {
        len += (size_t)n;
        fixture_turn();
    }
    received[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    return received;
}

int fixture_is_closed(int client)
{
    char byte;

    fixture_turn();
    return recv(client, &byte, 1, MSG_PEEK) == 0;
}

struct connection *fixture_newest(enum connection_phase phase)
{
    return TAILQ_LAST(&server->phases[phase], connection_list);
}

unsigned long fixture_limit_hits(unsigned limit)
{
    return (unsigned long)scoreboard_read_limit(scoreboard_at(scoreboard, 0), limit);
}

void fixture_end(void)
{
    http_server_free(server);
    event_base_free(base);
    scoreboard_free(scoreboard);
    conf_free(conf);
    free(received);
    server = NULL;
}
