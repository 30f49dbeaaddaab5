#include "config.h"

#include "host/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"

/* A process has one manager. */
static struct {
    struct sockaddr_un address;
    socklen_t address_len; /* 0: no manager */
    int64_t watchdog_us;   /* 0: none */
    bool complained;
} manager;

/* Returns the length of the address, 0 for a kind that is not ours. */
static socklen_t read_address(const char *text, struct sockaddr_un *ret_address)
{
    size_t len = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof ret_address->sun_path)
        return 0;
    memset(ret_address, 0, sizeof *ret_address);
    ret_address->sun_family = AF_UNIX;
    memcpy(ret_address->sun_path, text, len);
    if (text[0] == '@')
        ret_address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* A number of the environment: 0 when there is none, the largest when it is larger. */
static long read_number(const char *name)
{
    const char *text = getenv(name);
    long value = 0;
    int err = text != NULL ? number_parse(text, 0, LONG_MAX, &value) : 0;
    return err == -ERANGE ? LONG_MAX : value;
}

static bool watches_us(void)
{
    return getenv("WATCHDOG_PID") == NULL || read_number("WATCHDOG_PID") == getpid();
}

void notify_open(void)
{
    const char *text = getenv("NOTIFY_SOCKET");
    manager.address_len = text != NULL ? read_address(text, &manager.address) : 0;
    manager.watchdog_us =
        manager.address_len > 0 && watches_us() ? read_number("WATCHDOG_USEC") : 0;
    manager.complained = false;
}

/* Returns 0 or -errno. A socket for each message: none to keep over fork(2), execve(2) or years. */
static int send_datagram(const char *text, size_t len)
{
    const struct sockaddr *address = (const struct sockaddr *)&manager.address;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    ssize_t n = sendto(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL, address, manager.address_len);
    int err = n < 0 ? -errno : 0;
    close(fd);
    return err;
}

void notify_send(const char *format, ...)
{
    char text[NOTIFY_MESSAGE_SIZE];
    va_list args;
    if (manager.address_len == 0)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int err = send_datagram(text, strlen(text));
    if (err != 0 && !manager.complained)
        log_debug("cannot notify the service manager: %s", strerror(-err));
    manager.complained |= err != 0;
}

int64_t notify_watchdog_ms(void)
{
    int64_t half_ms = manager.watchdog_us / 2000;
    if (manager.watchdog_us == 0)
        return 0;
    return half_ms > 0 ? half_ms : 1;
}

int64_t notify_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
