#include "config.h"

#include "http_peer_fixture.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/address.h"

static void forget(struct http_peer *peer, struct bufferevent *bev)
{
    for (size_t i = 0; i < HTTP_PEER_CONNECTIONS; i++)
        if (peer->bevs[i] == bev)
            peer->bevs[i] = NULL;
    if (peer->slow == bev) {
        peer->slow = NULL;
        event_del(peer->timer);
    }
    bufferevent_free(bev);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        forget(arg, bev);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct http_peer *peer = arg;
    const struct http_peer_answer *answer = peer->answer;

    if (answer == NULL || bev != peer->whom || peer->slow != NULL)
        return;
    if (answer->flood != NULL) {
        peer->n_sent += strlen(answer->flood);
        bufferevent_write(bev, answer->flood, strlen(answer->flood));
    } else if (answer->is_last) {
        forget(peer, bev);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http_peer *peer = arg;
    static const struct timeval wait = {.tv_usec = 500};

    (void)fd;
    (void)what;
    if (peer->answer->text[peer->said] == '\0') {
        struct bufferevent *bev = peer->slow;
        peer->slow = NULL;
        if (peer->answer->is_last)
            forget(peer, bev);
        return;
    }
    bufferevent_write(peer->slow, &peer->answer->text[peer->said++], 1);
    event_add(peer->timer, &wait);
}

static void answer(struct http_peer *peer, struct bufferevent *bev)
{
    size_t i = peer->n_asked < peer->n_answers ? peer->n_asked : peer->n_answers - 1;
    peer->n_asked++;
    peer->answer = &peer->answers[i];
    peer->whom = bev;
    if (peer->answer->is_slow) {
        peer->slow = bev;
        peer->said = 0;
        event_active(peer->timer, EV_TIMEOUT, 0);
    } else if (peer->answer->text != NULL) {
        bufferevent_write(bev, peer->answer->text, strlen(peer->answer->text));
    } else if (peer->answer->flood != NULL) {
        on_written(bev, peer);
    } else if (peer->answer->is_last) {
        forget(peer, bev);
    }
}

/* Requests of the tests have a length or no body. */
static size_t request_len(const struct bytes *heard)
{
    const char *end = heard->len > 0 ? strstr(heard->at, "\r\n\r\n") : NULL;
    const char *field = end != NULL ? strstr(heard->at, "\r\nContent-Length: ") : NULL;
    if (end == NULL)
        return SIZE_MAX;
    size_t body = field != NULL && field < end ? strtoul(field + 18, NULL, 10) : 0;
    return (size_t)(end - heard->at) + 4 + body;
}

static void on_bytes(struct bufferevent *bev, void *arg)
{
    struct http_peer *peer = arg;
    char bytes[4096];
    if (peer->is_heard)
        bytes_clear(&peer->heard);
    peer->is_heard = false;
    for (size_t n; (n = bufferevent_read(bev, bytes, sizeof bytes)) > 0;)
        bytes_add(&peer->heard, bytes, n);
    peer->is_heard = peer->is_hasty || peer->heard.len >= request_len(&peer->heard);
    if (peer->is_heard)
        answer(peer, bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int len, void *arg)
{
    struct http_peer *peer = arg;
    size_t i = 0;

    (void)listener;
    (void)from;
    (void)len;
    while (i < HTTP_PEER_CONNECTIONS && peer->bevs[i] != NULL)
        i++;
    assert_true(i < HTTP_PEER_CONNECTIONS);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
    peer->n_accepted++;
    peer->bevs[i] = peer->wrap != NULL
                        ? peer->wrap(peer, fd)
                        : bufferevent_socket_new(peer->base, fd, BEV_OPT_CLOSE_ON_FREE);
    assert_non_null(peer->bevs[i]);
    bufferevent_setcb(peer->bevs[i], on_bytes, on_written, on_end, peer);
    bufferevent_enable(peer->bevs[i], EV_READ | EV_WRITE);
}

void http_peer_open(struct http_peer *peer, struct event_base *base, const char *address)
{
    struct address at;
    char text[ADDRESS_TEXT_SIZE];
    const char *why;

    memset(peer, 0, sizeof *peer);
    peer->base = base;
    snprintf(text, sizeof text, "%s:0", address);
    assert_int_equal(address_parse(text, &at, &why), 0);
    peer->listener = evconnlistener_new_bind(base, on_accept, peer, LEV_OPT_CLOSE_ON_FREE, 16,
                                             (const struct sockaddr *)&at.storage, (int)at.len);
    assert_non_null(peer->listener);
    assert_int_equal(
        getsockname(evconnlistener_get_fd(peer->listener), (struct sockaddr *)&at.storage, &at.len),
        0);
    peer->port = (unsigned)address_port(&at);
    peer->timer = event_new(base, -1, 0, on_tick, peer);
    assert_non_null(peer->timer);
}

void http_peer_say(struct http_peer *peer, const struct http_peer_answer *answers, size_t n)
{
    peer->answers = answers;
    peer->n_answers = n;
    peer->answer = NULL;
    peer->slow = NULL;
    event_del(peer->timer);
    peer->n_asked = peer->n_accepted = peer->n_sent = 0;
    bytes_clear(&peer->heard);
}

void http_peer_hang_up(struct http_peer *peer)
{
    for (size_t i = 0; i < HTTP_PEER_CONNECTIONS; i++)
        if (peer->bevs[i] != NULL)
            forget(peer, peer->bevs[i]);
}

void http_peer_close(struct http_peer *peer)
{
    http_peer_hang_up(peer);
    evconnlistener_free(peer->listener);
    event_free(peer->timer);
    bytes_free(&peer->heard);
}
