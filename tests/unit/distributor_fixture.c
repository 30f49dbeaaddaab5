#include "config.h"

#include "distributor_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"

/* Used up only by a test that fails. */
#define DEADLINE_MS 60000

/* For what shall not come: long enough for what is in the loop already. */
#define QUIET_TURNS 20

__attribute__((format(printf, 2, 3))) static void note(struct fixture *fixture, const char *format,
                                                       ...)
{
    size_t len = strlen(fixture->noted);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fixture->noted + len, sizeof fixture->noted - len, format, arguments);
    va_end(arguments);
}

static void on_done(enum driver_outcome outcome, const char *why, void *arg)
{
    note(arg, "done %d %s|", (int)outcome, why);
}

static void on_found(const char *service, const struct member *members, size_t n, void *arg)
{
    struct fixture *fixture = arg;
    void (*then)(struct fixture * fixture) = fixture->on_found;

    note(fixture, "found %s", service);
    for (size_t i = 0; i < n && n < 10; i++)
        note(fixture, " %s=%s:%u", members[i].id, members[i].host, members[i].port);
    note(fixture, n < 10 ? "|" : " %zu|", n);
    fixture->on_found = NULL;
    if (then != NULL)
        then(fixture);
}

static void on_lost(const char *service, enum driver_outcome outcome, const char *why, void *arg)
{
    note(arg, "lost %s %d %s|", service, (int)outcome, why);
}

static void on_broken(enum driver_outcome outcome, const char *why, void *arg)
{
    note(arg, "broken %d %s|", (int)outcome, why);
}

int fixture_bind(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

void fixture_init(struct fixture *fixture)
{
    static char host[] = "127.0.0.1", text[] = "distributor://127.0.0.1", route[] = "GET/a";
    static char *routes[] = {route};

    *fixture = (struct fixture){.base = event_base_new(), .peer = -1};
    fixture->conf = (struct conf_registry){.ttl_ms = 90000,
                                           .timeout_ms = DEADLINE_MS,
                                           .heartbeat_ms = DEADLINE_MS,
                                           .refresh_ms = DEADLINE_MS};
    fixture->url = (struct registry_url){.host = host, .text = text};
    fixture->listener = fixture_bind(&fixture->url.port);
    assert_int_equal(listen(fixture->listener, 8), 0);
    fixture->routes = (struct conf_list){routes, 1};
    fixture->record = (struct driver_record){.app = "app",
                                             .instance_id = "i",
                                             .host = "10.0.0.1",
                                             .port = 3000,
                                             .routes = &fixture->routes};
}

void fixture_free(struct fixture *fixture)
{
    if (fixture->session != NULL)
        driver_distributor.close(fixture->session);
    if (fixture->peer >= 0)
        close(fixture->peer);
    close(fixture->listener);
    event_base_loop(fixture->base, EVLOOP_NONBLOCK);
    event_base_free(fixture->base);
}

void fixture_open_only(struct fixture *fixture)
{
    const struct driver_settings settings = {.base = fixture->base,
                                             .conf = &fixture->conf,
                                             .url = &fixture->url,
                                             .done = on_done,
                                             .found = on_found,
                                             .lost = on_lost,
                                             .broken = on_broken,
                                             .arg = fixture};

    assert_int_equal(driver_distributor.open(&settings, &fixture->session), 0);
}

void fixture_open(struct fixture *fixture)
{
    fixture_open_only(fixture);
    fixture_accept(fixture);
}

void fixture_accept(struct fixture *fixture)
{
    if (fixture->peer >= 0)
        close(fixture->peer);
    fixture->peer = accept(fixture->listener, NULL, NULL);
    assert_true(fixture->peer >= 0);
}

void fixture_begin(struct fixture *fixture, enum driver_task task, enum driver_status status)
{
    fixture->record.status = status;
    driver_distributor.begin(fixture->session, task, &fixture->record);
}

static void turn(struct fixture *fixture, int64_t since_ms, const char *what)
{
    if (clock_now_ms() - since_ms > DEADLINE_MS)
        fail_msg("not in time: %s; noted: %s", what, fixture->noted);
    event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

void fixture_expect(struct fixture *fixture, const char *text)
{
    int64_t since_ms = clock_now_ms();
    char received[4096];
    size_t len = strlen(text), there = 0;

    while (there < len) {
        turn(fixture, since_ms, text);
        ssize_t n = recv(fixture->peer, received + there, len - there, MSG_DONTWAIT);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        there += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(received, text, len);
}

void fixture_expect_end(struct fixture *fixture)
{
    int64_t since_ms = clock_now_ms();
    char byte;

    while (recv(fixture->peer, &byte, 1, MSG_DONTWAIT) != 0)
        turn(fixture, since_ms, "the end of the connection");
    close(fixture->peer);
    fixture->peer = -1;
}

void fixture_send(struct fixture *fixture, const char *data, size_t len, size_t piece)
{
    int64_t since_ms = clock_now_ms();

    while (len > 0) {
        size_t most = piece > 0 && piece < len ? piece : len;
        ssize_t n = send(fixture->peer, data, most, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* it has left, as some tests want it */
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        turn(fixture, since_ms, "sending");
    }
}

void fixture_say(struct fixture *fixture, const char *text)
{
    fixture_send(fixture, text, strlen(text), 0);
}

void fixture_await(struct fixture *fixture, const char *noted)
{
    int64_t since_ms = clock_now_ms();

    while (strlen(fixture->noted) < strlen(noted))
        turn(fixture, since_ms, noted);
    assert_string_equal(fixture->noted, noted);
    fixture->noted[0] = '\0';
}

bool fixture_is_quiet(struct fixture *fixture)
{
    for (int i = 0; i < QUIET_TURNS; i++)
        event_base_loop(fixture->base, EVLOOP_NONBLOCK);
    return fixture->noted[0] == '\0';
}
