#include "config.h"

#include "admin_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include <cmocka.h>

#include "admin/site.h"
#include "conf/conf.h"
#include "control/server.h"
#include "discovery/directory.h"
#include "http/identity.h"
#include "ipc/scoreboard.h"
#include "proxy/balancer.h"

#define PATIENCE_S 10
#define MAX_HELD   32

static struct event_base *base;
static struct control_server *master;
struct scoreboard *fixture_board;
struct admin_site *fixture_site;
static struct worker_identity identity = {.instance = "test"};
static struct conf conf;
static struct address address;
static char listen_text[] = "127.0.0.1:9090";

/* The master: it keeps what it is asked until the test answers. */
static struct {
    struct control_request *request;
    char command[16];
    char *arguments;
} held[MAX_HELD];
static size_t n_held;
static struct control_request *follower, *pinged;

/* Whether the time that the master has is over as soon as it begins. */
static bool hurries;

static struct balancer *balancer;

struct directory *fixture_directory;

int __real_event_add(struct event *event, const struct timeval *delay);
int __wrap_event_add(struct event *event, const struct timeval *delay);

int __wrap_event_add(struct event *event, const struct timeval *delay)
{
    static const struct timeval none = {0, 0};
    bool is_cut = hurries && delay != NULL && (delay->tv_sec == 2 || delay->tv_sec == 30);
    return __real_event_add(event, is_cut ? &none : delay);
}

static void on_request(struct control_request *request, const char *command,
                       const json_t *arguments, void *arg)
{
    (void)arg;
    assert_true(control_peer(request)->is_admin);
    if (strcmp(command, "events") == 0) {
        follower = request;
        return;
    }
    if (strcmp(command, "ping") == 0) {
        pinged = request;
        return;
    }
    assert_true(n_held < MAX_HELD);
    held[n_held].request = request;
    strncpy(held[n_held].command, command, sizeof held[0].command - 1);
    held[n_held++].arguments = json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);
}

static void on_dropped(struct control_request *request, void *arg)
{
    (void)request;
    (void)arg;
}

static void on_overtime(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    fail_msg("this takes too long");
}

static void start_master(int fd)
{
    struct control_server_settings settings = {
        .base = base, .request = on_request, .dropped = on_dropped};

    assert_int_equal(control_server_new(&settings, &master), 0);
    assert_int_equal(control_server_adopt(master, fd), 0);
}

static int open_listener(void)
{
    const char *why;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(address_parse("127.0.0.1:0", &address, &why), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address.storage, &address.len), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

void fixture_turn(void)
{
    for (int i = 0; i < 5; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

/* What a real child does then is its own affair. */
static void on_lost(void *arg)
{
    (void)arg;
}

void fixture_start(char *token)
{
    struct admin_site_settings settings = {.conf = &conf, .identity = &identity, .lost = on_lost};
    int ends[2], listener = open_listener();

    conf = (struct conf){.admin = {.listen = listen_text, .token = token},
                         .instance = {.hang_timeout_ms = 10000},
                         .registry = {.type = CONF_REGISTRY_ETCD}};
    base = event_base_new();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(scoreboard_new(2, &fixture_board), 0);
    assert_int_equal(balancer_new(2, &balancer), 0);
    assert_int_equal(directory_new(&fixture_directory), 0);
    start_master(ends[0]);
    settings.base = base;
    settings.scoreboard = fixture_board;
    settings.balancer = balancer;
    settings.directory = fixture_directory;
    settings.control_fd = ends[1];
    assert_int_equal(admin_site_new(&settings, &fixture_site), 0);
    assert_int_equal(admin_site_accept(fixture_site, &listener, 1), 0);
    fixture_turn();
    assert_non_null(follower);
    assert_non_null(pinged);
}

int fixture_setup_site(void **state)
{
    static char token[] = FIXTURE_TOKEN;

    (void)state;
    fixture_start(token);
    fixture_catch_up();
    return 0;
}

int fixture_teardown_site(void **state)
{
    (void)state;
    admin_site_free(fixture_site);
    control_server_free(master, 0);
    scoreboard_free(fixture_board);
    balancer_free(balancer);
    directory_free(fixture_directory);
    event_base_free(base);
    for (size_t i = 0; i < n_held; i++)
        free(held[i].arguments);
    memset(held, 0, sizeof held);
    n_held = 0;
    follower = NULL;
    master = NULL;
    return 0;
}

void fixture_ask(struct client *client, const char *request)
{
    client->len = 0;
    client->got[0] = '\0';
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address.storage, address.len), 0);
    assert_int_equal(send(client->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    fixture_turn();
}

void fixture_await(struct client *client, const char *text)
{
    static const struct timeval patience = {PATIENCE_S, 0};
    struct event *overtime = event_new(base, -1, 0, on_overtime, NULL);

    event_add(overtime, &patience);
    while (strstr(client->got, text) == NULL) {
        ssize_t n = recv(client->fd, client->got + client->len,
                         sizeof client->got - 1 - client->len, MSG_DONTWAIT);
        if (n == 0)
            fail_msg("\"%s\" is not in \"%s\"", text, client->got);
        client->len += n > 0 ? (size_t)n : 0;
        client->got[client->len] = '\0';
        if (n < 0)
            event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(overtime);
}

void fixture_hang_up(struct client *client)
{
    close(client->fd);
    fixture_turn();
}

void fixture_wait(void)
{
    event_base_loop(base, EVLOOP_ONCE);
}

void fixture_hurry(bool now)
{
    hurries = now;
}

size_t fixture_asked(void)
{
    return n_held;
}

const char *fixture_command(size_t i)
{
    assert_true(i < n_held);
    return held[i].command;
}

const char *fixture_arguments(size_t i)
{
    assert_true(i < n_held);
    return held[i].arguments;
}

struct control_request *fixture_request(size_t i)
{
    assert_true(i < n_held);
    return held[i].request;
}

void fixture_tell_status(size_t i, int pid)
{
    assert_string_equal(fixture_command(i), "status");
    control_succeed(held[i].request, NULL, json_pack("{si}", "pid", pid));
    fixture_turn();
}

void fixture_tell_event(int seq, size_t len)
{
    char *text = malloc(len + 1);

    memset(text, 'x', len);
    text[len] = '\0';
    control_send(follower, "event", json_pack("{siss}", "seq", seq, "text", text));
    free(text);
    fixture_turn();
}

void fixture_catch_up(void)
{
    control_succeed(pinged, "pong", NULL);
    fixture_turn();
}

void fixture_lose_master(void)
{
    control_server_free(master, 0);
    master = NULL;
}

void fixture_expect(const char *request, const char *text)
{
    struct client client;

    fixture_ask(&client, request);
    fixture_await(&client, text);
    fixture_hang_up(&client);
}
