#include "config.h"

#include "zombiectl/chaos_probe.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "zombiectl/chaos_response.h"
#include "zombiectl/chaos_tally.h"
#include "zombiectl/chaos_target.h"

/* When this side lacks ports or descriptors, in microseconds. */
#define WANT_REST_US 10000

/*
 *             begin             connected            answered
 *   RESTING ----------> CONNECTING ----------> AWAITING ----------> RESTING
 *      |                     ^                  ^    |
 *      |                     +-- closed: again -|----+
 *      +---- the connection is kept ------------+
 */
enum phase { RESTING, CONNECTING, AWAITING };

struct chaos_probe {
    struct event_base *base;
    const struct chaos_target *target;
    struct chaos_tally *tally;
    struct event *timer; /* the end of a rest, or of the patience */
    struct event *connected;
    struct event *readable;
    int fd;
    enum phase phase;
    bool keeps;
    bool is_stopping;
    bool is_used;   /* an answer has come over this connection */
    bool is_fit;    /* this connection may take another request */
    bool is_second; /* the request is sent for the second time */
    bool has_begun_answer;
    int64_t begun_us;
    struct chaos_response response;
};

static void attempt(struct chaos_probe *probe);

static void set_timer(struct chaos_probe *probe, int64_t us)
{
    struct timeval delay = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};

    (void)evtimer_add(probe->timer, &delay);
}

static void hang_up(struct chaos_probe *probe)
{
    if (probe->connected != NULL)
        event_free(probe->connected);
    if (probe->readable != NULL)
        event_free(probe->readable);
    if (probe->fd >= 0)
        close(probe->fd);
    probe->connected = NULL;
    probe->readable = NULL;
    probe->fd = -1;
    probe->is_used = false;
    probe->is_fit = false;
}

static void rest(struct chaos_probe *probe, int64_t us)
{
    probe->phase = RESTING;
    evtimer_del(probe->timer);
    if (!probe->is_stopping)
        set_timer(probe, us);
}

static void finish(struct chaos_probe *probe, enum chaos_outcome outcome)
{
    probe->tally->outcomes[outcome]++;
    probe->tally->retried += probe->is_second;
    if (outcome == PROBE_OK) {
        chaos_spread_add(&probe->tally->latency, clock_now_us() - probe->begun_us);
        probe->tally->client_errors += probe->response.status >= 400;
    } else {
        hang_up(probe);
    }
    rest(probe, CHAOS_PROBE_REST_US);
}

/* Nothing has left this side, for want of a port, a descriptor or memory. */
static void put_off(struct chaos_probe *probe)
{
    probe->tally->not_sent++;
    hang_up(probe);
    rest(probe, WANT_REST_US);
}

/* The connection has ended amid the request. */
static void lose(struct chaos_probe *probe, enum chaos_outcome outcome)
{
    if (probe->has_begun_answer) {
        finish(probe, PROBE_PARTIAL);
    } else if (probe->is_used && !probe->is_second) {
        probe->is_second = true;
        hang_up(probe);
        attempt(probe);
    } else {
        finish(probe, outcome);
    }
}

static void take_answer(struct chaos_probe *probe)
{
    probe->is_used = true;
    probe->is_fit = probe->keeps && probe->response.keeps_alive;
    finish(probe, probe->response.status >= 500 ? PROBE_STATUS : PROBE_OK);
}

static void take_bytes(struct chaos_probe *probe, const char *bytes, size_t len)
{
    size_t consumed = 0;
    enum chaos_reading reading = chaos_response_feed(&probe->response, bytes, len, &consumed);

    probe->has_begun_answer = true;
    if (reading == CHAOS_WHOLE && consumed == len)
        take_answer(probe);
    else if (reading != CHAOS_MORE)
        finish(probe, PROBE_MALFORMED);
}

static void take_end(struct chaos_probe *probe)
{
    if (chaos_response_end(&probe->response) == CHAOS_WHOLE)
        take_answer(probe);
    else
        lose(probe, PROBE_CLOSED);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct chaos_probe *probe = arg;
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (probe->phase == RESTING) /* its end, or what nobody has asked for */
        hang_up(probe);
    else if (n > 0)
        take_bytes(probe, bytes, (size_t)n);
    else if (n == 0)
        take_end(probe);
    else
        lose(probe, PROBE_RESET);
}

/* The request fits every send buffer. */
static void send_request(struct chaos_probe *probe)
{
    char request[CHAOS_TARGET_PATH_SIZE + CHAOS_TARGET_HOST_SIZE + 128];
    int len = snprintf(
        request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: zombiectl\r\n%s\r\n",
        probe->target->path, probe->target->host, probe->keeps ? "" : "Connection: close\r\n");

    probe->phase = AWAITING;
    probe->has_begun_answer = false;
    chaos_response_init(&probe->response);
    if (send(probe->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        lose(probe, PROBE_RESET);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct chaos_probe *probe = arg;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)what;
    probe->has_begun_answer = false;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        finish(probe, error == ECONNRESET ? PROBE_RESET : PROBE_REFUSED);
    else if (event_add(probe->readable, NULL) != 0)
        put_off(probe);
    else
        send_request(probe);
}

/* Returns 0 or -errno. */
static int dial(struct chaos_probe *probe)
{
    const struct address *address = &probe->target->address;

    probe->fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0)
        return -errno;
    probe->connected = event_new(probe->base, probe->fd, EV_WRITE, on_connected, probe);
    probe->readable = event_new(probe->base, probe->fd, EV_READ | EV_PERSIST, on_readable, probe);
    if (probe->connected == NULL || probe->readable == NULL ||
        event_add(probe->connected, NULL) != 0)
        return -ENOMEM;
    if (connect(probe->fd, (const struct sockaddr *)&address->storage, address->len) != 0 &&
        errno != EINPROGRESS)
        return -errno;
    return 0;
}

static bool is_want(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM ||
           err == -EADDRNOTAVAIL;
}

static void attempt(struct chaos_probe *probe)
{
    int r;

    set_timer(probe, CHAOS_PROBE_TIMEOUT_MS * INT64_C(1000));
    if (probe->is_fit) {
        send_request(probe);
        return;
    }
    hang_up(probe);
    probe->phase = CONNECTING;
    r = dial(probe);
    if (is_want(r))
        put_off(probe);
    else if (r != 0)
        finish(probe, PROBE_REFUSED);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct chaos_probe *probe = arg;

    (void)fd;
    (void)what;
    if (probe->phase != RESTING) {
        finish(probe, PROBE_TIMEOUT);
        return;
    }
    probe->begun_us = clock_now_us();
    probe->is_second = false;
    attempt(probe);
}

int chaos_probe_new(struct event_base *base, const struct chaos_target *target,
                    struct chaos_tally *tally, bool keeps, struct chaos_probe **ret_probe)
{
    struct chaos_probe *probe = calloc(1, sizeof(*probe));

    if (probe == NULL)
        return -ENOMEM;
    probe->base = base;
    probe->target = target;
    probe->tally = tally;
    probe->keeps = keeps;
    probe->fd = -1;
    probe->timer = evtimer_new(base, on_timer, probe);
    if (probe->timer == NULL) {
        free(probe);
        return -ENOMEM;
    }
    set_timer(probe, 0);
    *ret_probe = probe;
    return 0;
}

void chaos_probe_stop(struct chaos_probe *probe)
{
    probe->is_stopping = true;
    if (probe->phase == RESTING)
        evtimer_del(probe->timer);
}

bool chaos_probe_is_idle(const struct chaos_probe *probe)
{
    return probe->is_stopping && probe->phase == RESTING;
}

void chaos_probe_free(struct chaos_probe *probe)
{
    if (probe == NULL)
        return;
    hang_up(probe);
    event_free(probe->timer);
    free(probe);
}
