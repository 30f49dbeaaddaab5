#include "config.h"

#include "http/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/octets.h"

/* What is looked at of an answer. */
#define ANSWER_BYTES 4096

/* What is left of a line when it is shown: printable ASCII. */
static size_t add_printable(char *text, size_t at, size_t size, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && bytes[i] != '\r' && bytes[i] != '\n' && at + 1 < size; i++)
        text[at++] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    text[at] = '\0';
    return at;
}

int probe_read_answer(const char *bytes, size_t len, char ret_text[PROBE_TEXT_SIZE])
{
    static const char begin[] = "HTTP/1.";
    size_t known = len < sizeof begin - 1 ? len : sizeof begin - 1;
    if (memcmp(bytes, begin, known) != 0)
        return -EBADMSG;
    if (memchr(bytes, '\n', len) == NULL)
        return len < PROBE_TEXT_SIZE ? 0 : -EBADMSG;
    for (size_t i = 9; i < 12; i++)
        if (len <= 12 || bytes[8] != ' ' || !octets_is(bytes[i], OCTET_DIGIT))
            return -EBADMSG;
    int status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + bytes[11] - '0';
    size_t at = add_printable(ret_text, 0, PROBE_TEXT_SIZE, bytes + 9, len - 9);
    const char *body = memmem(bytes, len, "\r\n\r\n", 4);
    if (body != NULL && body + 4 < bytes + len && at + 3 < PROBE_TEXT_SIZE) {
        size_t rest = (size_t)(bytes + len - body - 4);
        bool repeats = rest >= at && memcmp(body + 4, ret_text, at) == 0;
        memcpy(ret_text + at, ": ", 2);
        add_printable(ret_text, repeats ? 0 : at + 2, PROBE_TEXT_SIZE, body + 4, rest);
    }
    return status >= 100 ? status : -EBADMSG;
}

/* Wait for something to read. Returns 0, or -ETIMEDOUT. */
static int await(int fd, int64_t deadline_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left_ms = deadline_ms - clock_now_ms();
        int n = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;
        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* SO_SNDTIMEO bounds connect(2), too, and a unix socket's wait for a place in the queue. */
static int connect_by(int fd, const struct address *address, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - clock_now_ms();
    struct timeval patience = {left_ms / 1000, left_ms % 1000 * 1000};
    if (left_ms <= 0)
        return -ETIMEDOUT;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->len) == 0)
        return 0;
    return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static int open_any(const struct probe_target *target, int64_t deadline_ms)
{
    int err = -EINVAL;
    for (size_t i = 0; i < target->n; i++) {
        const struct address *address = &target->addresses[i];
        int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return -errno;
        err = connect_by(fd, address, deadline_ms);
        if (err == 0)
            return fd;
        close(fd);
    }
    return err;
}

char *probe_request(const char *host, const char *uri)
{
    char *text;
    int len = asprintf(&text,
                       "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: zombie-server/" PACKAGE_VERSION
                       "\r\nConnection: close\r\n\r\n",
                       uri, host);
    return len >= 0 ? text : NULL;
}

/* A request is short enough for any socket's empty buffer. */
static int send_request(int fd, const struct probe_target *target)
{
    char *text = probe_request(target->host, target->uri);
    if (text == NULL)
        return -ENOMEM;
    ssize_t len = (ssize_t)strlen(text);
    ssize_t n = send(fd, text, (size_t)len, MSG_NOSIGNAL);
    int err = n == len ? 0 : n < 0 ? -errno : -EMSGSIZE;
    free(text);
    return err;
}

/* Returns the status, or -errno. */
static int receive(int fd, int64_t deadline_ms, char ret_text[PROBE_TEXT_SIZE])
{
    char answer[ANSWER_BYTES];
    size_t len = 0;
    int status = 0;
    while (status == 0) {
        int err = await(fd, deadline_ms);
        if (err != 0)
            return err;
        ssize_t n = recv(fd, answer + len, sizeof answer - len, 0);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n == 0)
            return -ECONNRESET;
        len += n > 0 ? (size_t)n : 0;
        status = probe_read_answer(answer, len, ret_text);
    }
    return status;
}

bool probe_run(const struct probe_target *target, int timeout_ms, char ret_text[PROBE_TEXT_SIZE])
{
    int64_t deadline_ms = clock_now_ms() + timeout_ms;
    int fd = open_any(target, deadline_ms);
    int result = fd;
    if (fd >= 0) {
        result = send_request(fd, target);
        if (result == 0)
            result = receive(fd, deadline_ms, ret_text);
        close(fd);
    }
    if (result == -ETIMEDOUT)
        snprintf(ret_text, PROBE_TEXT_SIZE, "no answer within %d ms", timeout_ms);
    else if (result == -EBADMSG)
        snprintf(ret_text, PROBE_TEXT_SIZE, "the answer is not HTTP/1");
    else if (result < 0)
        snprintf(ret_text, PROBE_TEXT_SIZE, "%s", strerror(-result));
    return result >= 200 && result < 300;
}
