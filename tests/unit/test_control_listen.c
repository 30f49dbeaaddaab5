/*
 * The control socket's listening side: who is let in, who has to make room, and
 * what happens without descriptors.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/server_state.h"
#include "control_fixture.h"

#define HOLD(id)   "{\"id\":" #id ",\"command\":\"hold\"}\n"
#define FOLLOW(id) "{\"id\":" #id ",\"command\":\"follow\"}\n"
#define ECHO       "{\"id\":9,\"command\":\"echo\"}\n"

static char folder[32];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/zombie-listen-XXXXXX");
    return mkdtemp(folder) != NULL ? chmod(folder, 0755) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static struct sockaddr_un name_of(const char *file)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/%s", folder, file);
    return name;
}

/* Have the server listen on a new socket of that name, which is the caller's. */
static int listen_on(struct control_fixture *fixture, const char *file)
{
    struct sockaddr_un name = name_of(file);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(control_server_listen(fixture->server, fd), 0);
    return fd;
}

static void forget(int listening, const char *file)
{
    struct sockaddr_un name = name_of(file);

    assert_int_equal(unlink(name.sun_path), 0);
    (void)close(listening);
}

static int connect_to(struct control_fixture *fixture, const char *file)
{
    struct sockaddr_un name = name_of(file);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    control_fixture_turn(fixture, 2);
    return fd;
}

/* Whether a client is served. */
static bool is_served(struct control_fixture *fixture, int client)
{
    if (control_fixture_is_closed(client))
        return false;
    control_fixture_send(fixture, client, ECHO);
    return strstr(control_fixture_received(client), "pong") != NULL;
}

static void serves_who_connects(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), client = connect_to(fixture, "a");

    assert_true(is_served(fixture, client));
    control_fixture_send(fixture, client, HOLD(1));
    assert_false(control_peer(fixture->held[0])->is_admin);
    assert_int_equal(control_peer(fixture->held[0])->uid, geteuid());
    (void)close(client);
    forget(listening, "a");
}

/* Clients stay; who waits in the queue of the old one is not served any more. */
static void listens_elsewhere(void **state)
{
    struct control_fixture *fixture = *state;
    int first = listen_on(fixture, "a"), old = connect_to(fixture, "a");
    int second = listen_on(fixture, "b"), late = connect_to(fixture, "a");
    int client = connect_to(fixture, "b");

    assert_true(is_served(fixture, old));
    assert_true(is_served(fixture, client));
    assert_false(is_served(fixture, late));
    assert_int_equal(control_server_listen(fixture->server, -1), 0);
    (void)close(late);
    late = connect_to(fixture, "b");
    assert_false(is_served(fixture, late));
    assert_true(is_served(fixture, client));
    assert_int_equal(control_server_listen(fixture->server, first), 0);
    (void)close(late);
    late = connect_to(fixture, "a");
    control_fixture_turn(fixture, 4);
    assert_true(is_served(fixture, late));
    (void)(close(old) | close(client) | close(late));
    forget(first, "a");
    forget(second, "b");
}

static void the_longest_silent_makes_room(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), clients[CONTROL_CLIENTS_MAX], more[2];
    int admin = control_fixture_adopt(fixture); /* the most silent of all */

    for (int i = 0; i < CONTROL_CLIENTS_MAX - 1; i++)
        clients[i] = connect_to(fixture, "a");
    control_fixture_send(fixture, clients[0], HOLD(1)); /* occupied, */
    control_fixture_send(fixture, clients[1], "{");     /* not silent */
    for (int i = 3; i < CONTROL_CLIENTS_MAX - 1; i++)
        assert_true(is_served(fixture, clients[i]));
    assert_int_equal(fixture->server->n_connections, CONTROL_CLIENTS_MAX);
    more[0] = connect_to(fixture, "a");
    assert_true(control_fixture_is_closed(clients[2]));
    more[1] = connect_to(fixture, "a");
    assert_true(control_fixture_is_closed(clients[1]));
    assert_true(is_served(fixture, more[0]) && is_served(fixture, more[1]));
    assert_true(is_served(fixture, admin));
    assert_int_equal(fixture->n_dropped, 0);
    assert_int_equal(fixture->server->n_connections, CONTROL_CLIENTS_MAX);
    for (int i = 0; i < CONTROL_CLIENTS_MAX - 1; i++)
        (void)close(clients[i]);
    (void)(close(more[0]) | close(more[1]) | close(admin));
    forget(listening, "a");
}

static void nobody_makes_room_who_is_occupied(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), clients[CONTROL_CLIENTS_MAX], more;

    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        clients[i] = connect_to(fixture, "a");
        control_fixture_send(fixture, clients[i], HOLD(1));
    }
    more = connect_to(fixture, "a");
    assert_string_equal(control_fixture_received(more),
                        "{\"id\":null,\"ok\":false,\"error\":\"too-many\","
                        "\"text\":\"too many clients are connected\"}\n");
    assert_true(control_fixture_is_closed(more));
    (void)close(more);
    (void)close(clients[7]);
    control_fixture_turn(fixture, 2);
    assert_int_equal(fixture->n_dropped, 1);
    more = connect_to(fixture, "a");
    assert_true(is_served(fixture, more));
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (i != 7)
            (void)close(clients[i]);
    (void)close(more);
    forget(listening, "a");
}

static void assert_sent_off(int client)
{
    assert_string_equal(control_fixture_received(client),
                        "{\"id\":null,\"ok\":false,\"error\":\"too-many\",\"text\":\"too many "
                        "clients are connected; the oldest that only follow make room\"}\n");
    assert_true(control_fixture_is_closed(client));
}

/* A house full of followers: the oldest goes, however lively it is, and is told why. */
static void the_oldest_that_only_follows_makes_room(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), clients[CONTROL_CLIENTS_MAX], more[2];
    int admin = control_fixture_adopt(fixture);

    control_fixture_send(fixture, admin, FOLLOW(1));
    for (int i = 0; i < CONTROL_CLIENTS_MAX - 1; i++) {
        clients[i] = connect_to(fixture, "a");
        control_fixture_send(fixture, clients[i], FOLLOW(1));
    }
    control_fixture_send(fixture, clients[0], HOLD(2)); /* an order beside it */
    control_fixture_send(fixture, clients[1], FOLLOW(2));
    more[0] = connect_to(fixture, "a");
    assert_sent_off(clients[1]);
    assert_int_equal(fixture->n_dropped, 2);
    control_fixture_send(fixture, more[0], HOLD(1));
    more[1] = connect_to(fixture, "a");
    assert_sent_off(clients[2]);
    assert_true(is_served(fixture, more[1]) && is_served(fixture, admin));
    assert_true(is_served(fixture, clients[0]) && is_served(fixture, clients[3]));
    for (int i = 0; i < CONTROL_CLIENTS_MAX - 1; i++)
        (void)close(clients[i]);
    (void)(close(more[0]) | close(more[1]) | close(admin));
    forget(listening, "a");
}

/* Who does not read cannot be told, and goes all the same. */
static void who_cannot_be_told_makes_room_too(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), clients[CONTROL_CLIENTS_MAX], more;

    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        clients[i] = connect_to(fixture, "a");
        if (i == 0)
            control_fixture_send(fixture, clients[i],
                                 "{\"id\":2,\"command\":\"blob\",\"size\":1000000}\n");
        control_fixture_send(fixture, clients[i], FOLLOW(1));
    }
    more = connect_to(fixture, "a");
    assert_true(is_served(fixture, more));
    assert_null(strstr(control_fixture_received(clients[0]), "too-many"));
    assert_true(control_fixture_is_closed(clients[0]));
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        (void)close(clients[i]);
    (void)close(more);
    forget(listening, "a");
}

/* As another user: connect, say so on the pipe, and say by the status whether it was refused. */
static pid_t ask_as_stranger(const char *file, int connected)
{
    static const char refusal[] = "{\"id\":null,\"ok\":false,\"error\":\"not-allowed\","
                                  "\"text\":\"this user may not use the control socket\"}\n";
    struct sockaddr_un name = name_of(file);
    char received[256] = "";
    pid_t pid = fork();
    int fd;

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setgid(4002) != 0 || setuid(4001) != 0 ||
        connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
        _exit(2);
    (void)!write(connected, "x", 1);
    (void)!recv(fd, received, sizeof(received) - 1, MSG_WAITALL);
    _exit(strcmp(received, refusal) != 0);
}

/* The kernel lets it connect while the mode does; what the mode says afterwards counts. */
static void turns_strangers_away(void **state)
{
    struct control_fixture *fixture = *state;
    int listening, status, fds[2];
    char byte;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    listening = listen_on(fixture, "a");
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(chmod(name_of("a").sun_path, 0666), 0);
    pid = ask_as_stranger("a", fds[1]);
    (void)close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(chmod(name_of("a").sun_path, 0660), 0);
    control_fixture_turn(fixture, 2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(fixture->server->n_connections, 0);
    (void)close(fds[0]);
    forget(listening, "a");
}

/* The descriptor that would come next: with this limit, none does. */
static rlim_t find_limit(void)
{
    int next = dup(STDIN_FILENO);

    assert_true(next >= 0);
    (void)close(next);
    return (rlim_t)next;
}

/* Somebody waits whom nobody can accept: that must not keep the loop busy. */
static void steps_back_without_descriptors(void **state)
{
    struct control_fixture *fixture = *state;
    int listening = listen_on(fixture, "a"), client;
    struct sockaddr_un name = name_of("a");
    struct rlimit limit, low;

    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = find_limit();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    control_fixture_turn(fixture, 2);
    assert_false(event_pending(fixture->server->acceptable, EV_READ, NULL));
    assert_true(event_pending(fixture->server->retry, EV_TIMEOUT, NULL));
    event_active(fixture->server->retry, EV_TIMEOUT, 0);
    control_fixture_turn(fixture, 3);
    assert_false(event_pending(fixture->server->acceptable, EV_READ, NULL));
    assert_true(event_pending(fixture->server->retry, EV_TIMEOUT, NULL));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    event_active(fixture->server->retry, EV_TIMEOUT, 0);
    control_fixture_turn(fixture, 3);
    assert_true(is_served(fixture, client));
    (void)close(client);
    forget(listening, "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, control_fixture_begin, control_fixture_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(serves_who_connects),
        TEST(listens_elsewhere),
        TEST(the_longest_silent_makes_room),
        TEST(nobody_makes_room_who_is_occupied),
        TEST(the_oldest_that_only_follows_makes_room),
        TEST(who_cannot_be_told_makes_room_too),
        TEST(turns_strangers_away),
        TEST(steps_back_without_descriptors),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
