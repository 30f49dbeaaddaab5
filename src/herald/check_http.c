#include "config.h"

#include "herald/check_http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "http/probe.h"

struct check_http {
    struct event *event; /* of the socket, or of none when it could not even be opened */
    struct event *timer;
    int fd;
    int error; /* what ended it before it could begin */
    char *request;
    size_t request_len, sent, len;
    check_http_done *done;
    void *arg;
    char answer[CHECK_HTTP_HEAD_BYTES];
};

static bool is_interim(int status)
{
    return status > 0 && status < 200 && status != 101;
}

int check_http_read(const char *bytes, size_t len)
{
    char text[PROBE_TEXT_SIZE];
    int status = 0;
    for (size_t at = 0; status == 0 || is_interim(status);) {
        status = probe_read_answer(bytes + at, len - at, text);
        if (status < 0)
            return status;
        const char *end = memmem(bytes + at, len - at, "\r\n\r\n", 4);
        if (end == NULL)
            return len < CHECK_HTTP_HEAD_BYTES ? 0 : -EMSGSIZE;
        if (status == 0)
            return -EBADMSG;
        at = (size_t)(end + 4 - bytes);
    }
    return status;
}

static void conclude(struct check_http *probe, int result)
{
    if (probe->event != NULL)
        event_del(probe->event);
    event_del(probe->timer);
    probe->done(result, probe->arg);
}

/* Returns 0 when all of it has gone or the rest has to wait. */
static int send_rest(struct check_http *probe)
{
    ssize_t n = send(probe->fd, probe->request + probe->sent, probe->request_len - probe->sent,
                     MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    probe->sent += (size_t)n;
    return 0;
}

/* Returns the status, 0 when there is more to come, or -errno. */
static int receive(struct check_http *probe)
{
    ssize_t n = recv(probe->fd, probe->answer + probe->len, sizeof probe->answer - probe->len, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    probe->len += (size_t)n;
    return check_http_read(probe->answer, probe->len);
}

static int watch(struct check_http *probe, short what);

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct check_http *probe = arg;
    (void)fd;
    int result = 0;
    if ((what & EV_WRITE) != 0) {
        result = send_rest(probe);
        if (result == 0 && probe->sent == probe->request_len)
            result = watch(probe, EV_READ);
    } else {
        result = receive(probe);
    }
    if (result != 0)
        conclude(probe, result);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct check_http *probe = arg;
    (void)fd;
    (void)what;
    conclude(probe, probe->error != 0 ? probe->error : -ETIMEDOUT);
}

/* For writing first, which is also how connect(2) tells its end; then for the answer. */
static int watch(struct check_http *probe, short what)
{
    event_del(probe->event);
    if (event_assign(probe->event, event_get_base(probe->event), probe->fd, what | EV_PERSIST,
                     on_socket, probe) != 0)
        return -EINVAL;
    return event_add(probe->event, NULL) == 0 ? 0 : -ENOMEM;
}

static int connect_to(struct check_http *probe, struct event_base *base,
                      const struct address *address)
{
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    probe->fd = socket(address->storage.ss_family, type, 0);
    if (probe->fd < 0)
        return -errno;
    if (connect(probe->fd, (const struct sockaddr *)&address->storage, address->len) != 0 &&
        errno != EINPROGRESS)
        return -errno;
    probe->event = event_new(base, probe->fd, EV_WRITE | EV_PERSIST, on_socket, probe);
    return probe->event != NULL && event_add(probe->event, NULL) == 0 ? 0 : -ENOMEM;
}

int check_http_new(struct event_base *base, const struct check_http_plan *plan,
                   struct check_http **ret_probe)
{
    struct check_http *probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return -ENOMEM;
    probe->fd = -1;
    probe->done = plan->done;
    probe->arg = plan->arg;
    probe->request = probe_request(plan->host, plan->path);
    probe->timer = event_new(base, -1, 0, on_timer, probe);
    if (probe->request == NULL || probe->timer == NULL) {
        check_http_free(probe);
        return -ENOMEM;
    }
    probe->request_len = strlen(probe->request);
    probe->error = connect_to(probe, base, plan->address);
    long wait_ms = probe->error != 0 ? 0 : plan->timeout_ms;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(probe->timer, &wait);
    *ret_probe = probe;
    return 0;
}

void check_http_free(struct check_http *probe)
{
    if (probe == NULL)
        return;
    if (probe->event != NULL)
        event_free(probe->event);
    if (probe->timer != NULL)
        event_free(probe->timer);
    if (probe->fd >= 0)
        close(probe->fd);
    free(probe->request);
    free(probe);
}
