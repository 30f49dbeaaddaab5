/*
 * One probe against a peer of the test, on one loop; and the reading of answers.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/address.h"
#include "herald/check_http.h"

#define TIMEOUT_MS 60000 /* longer than any case takes */
#define NONE       12345

static void answers_are_read(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"", 0},
        {"HTTP/1.1 200", 0},
        {"HTTP/1.1 200 OK\r\n", 0},
        {"HTTP/1.1 200 OK\r\nA: b\r\n", 0},
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200},
        {"HTTP/1.0 503 No\r\n\r\nbody", 503},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 204 N\r\n\r\n", 204},
        {"HTTP/1.1 100 Continue\r\n\r\nSSH-2.0\r\n\r\n", -EBADMSG},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101},
        {"SSH-2.0-x\r\n", -EBADMSG},
        {"HTTP/2 200\r\n\r\n", -EBADMSG},
        {"HTTP/1.1\r\n\r\n", -EBADMSG},
        {"\r\n\r\n", -EBADMSG},
    };
    static char flood[CHECK_HTTP_HEAD_BYTES] = "HTTP/1.1 200 OK\r\nA: ";

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(check_http_read(cases[i].text, strlen(cases[i].text)), cases[i].result);
    memset(flood + strlen(flood), 'x', sizeof(flood) - strlen(flood));
    assert_int_equal(check_http_read(flood, sizeof(flood) - 1), 0);
    assert_int_equal(check_http_read(flood, sizeof(flood)), -EMSGSIZE);
}

/* A peer that hears all of the request and then says its piece. */
struct peer {
    struct event_base *base;
    int listener;
    struct event *event;
    struct address address;
    const char *answer; /* NULL: none, and the connection stays */
    char heard[1024];
    size_t len;
    int result;
};

static void on_bytes(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;
    ssize_t n = recv(fd, peer->heard + peer->len, sizeof(peer->heard) - 1 - peer->len, 0);

    (void)what;
    peer->len += n > 0 ? (size_t)n : 0;
    if (n == 0 || (peer->answer != NULL && strstr(peer->heard, "\r\n\r\n") != NULL)) {
        if (n > 0)
            assert_int_equal(send(fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL),
                             strlen(peer->answer));
        event_free(peer->event);
        peer->event = NULL;
        close(fd);
    }
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;
    int client = accept(fd, NULL, NULL);

    (void)what;
    event_free(peer->event);
    peer->event = event_new(peer->base, client, EV_READ | EV_PERSIST, on_bytes, peer);
    event_add(peer->event, NULL);
}

static void on_done(int result, void *arg)
{
    struct peer *peer = arg;

    assert_int_equal(peer->result, NONE);
    peer->result = result;
    event_base_loopbreak(peer->base);
}

static void begin(struct peer *peer, const char *answer)
{
    const char *why;

    *peer = (struct peer){.base = event_base_new(), .answer = answer, .result = NONE};
    assert_int_equal(address_parse("127.0.0.1:0", &peer->address, &why), 0);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(peer->listener, (struct sockaddr *)&peer->address.storage, peer->address.len), 0);
    assert_int_equal(
        getsockname(peer->listener, (struct sockaddr *)&peer->address.storage, &peer->address.len),
        0);
    assert_int_equal(listen(peer->listener, 1), 0);
    peer->event = event_new(peer->base, peer->listener, EV_READ, on_client, peer);
    event_add(peer->event, NULL);
}

static struct check_http *probe(struct peer *peer, long timeout_ms)
{
    const struct check_http_plan plan = {.address = &peer->address,
                                         .host = "app.example:80",
                                         .path = "/health?x",
                                         .timeout_ms = timeout_ms,
                                         .done = on_done,
                                         .arg = peer};
    struct check_http *made;

    assert_int_equal(check_http_new(peer->base, &plan, &made), 0);
    assert_int_equal(peer->result, NONE);
    return made;
}

static void end(struct peer *peer, struct check_http *made)
{
    check_http_free(made);
    if (peer->event != NULL && event_get_fd(peer->event) != peer->listener)
        close(event_get_fd(peer->event));
    if (peer->event != NULL)
        event_free(peer->event);
    if (peer->listener >= 0)
        close(peer->listener);
    event_base_free(peer->base);
}

static void peers_are_judged_by_their_answer(void **state)
{
    static const struct {
        const char *answer;
        int result;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello", 200},
        {"HTTP/1.1 500 Oh\r\n\r\n", 500},
        {"", -ECONNRESET},
        {"HTTP/1.1 200 OK\r\nA: b", -ECONNRESET},
        {"220 smtp.example ESMTP\r\n", -EBADMSG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct peer peer;
        begin(&peer, cases[i].answer);
        struct check_http *made = probe(&peer, TIMEOUT_MS);
        event_base_dispatch(peer.base);
        assert_int_equal(peer.result, cases[i].result);
        assert_non_null(strstr(peer.heard, "GET /health?x HTTP/1.1\r\nHost: app.example:80\r\n"));
        assert_non_null(strstr(peer.heard, "\r\nConnection: close\r\n"));
        end(&peer, made);
    }
}

static void a_silent_peer_is_given_up(void **state)
{
    struct peer peer;

    (void)state;
    begin(&peer, NULL);
    struct check_http *made = probe(&peer, 20);
    event_base_dispatch(peer.base);
    assert_int_equal(peer.result, -ETIMEDOUT);
    end(&peer, made);
}

static void nobody_there_is_an_error_from_the_loop(void **state)
{
    struct peer peer;

    (void)state;
    begin(&peer, NULL);
    event_free(peer.event);
    peer.event = NULL;
    close(peer.listener);
    peer.listener = -1;
    struct check_http *made = probe(&peer, TIMEOUT_MS);
    event_base_dispatch(peer.base);
    assert_int_equal(peer.result, -ECONNREFUSED);
    end(&peer, made);
}

static void one_that_is_freed_says_nothing(void **state)
{
    struct peer peer;

    (void)state;
    begin(&peer, "HTTP/1.1 200 OK\r\n\r\n");
    struct check_http *made = probe(&peer, 1);
    check_http_free(made);
    event_base_loop(peer.base, EVLOOP_ONCE); /* the peer takes the connection, which is over */
    assert_int_equal(peer.result, NONE);
    end(&peer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(peers_are_judged_by_their_answer),
        cmocka_unit_test(a_silent_peer_is_given_up),
        cmocka_unit_test(nobody_there_is_an_error_from_the_loop),
        cmocka_unit_test(one_that_is_freed_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
