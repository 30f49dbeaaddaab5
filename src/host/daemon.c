#include "config.h"

#include "host/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"

/* The caller's process: the daemon's report, or its death without one, becomes our status. */
static _Noreturn void await_report(int fd)
{
    uint8_t status;
    ssize_t n;
    do
        n = read(fd, &status, sizeof status);
    while (n < 0 && errno == EINTR);
    _exit(n == (ssize_t)sizeof status ? status : EX_OSERR);
}

int daemon_begin(int *ret_notify_fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int err = -errno;
        close(fds[0]);
        close(fds[1]);
        return err;
    }
    if (pid > 0) {
        close(fds[1]);
        await_report(fds[0]);
    }
    close(fds[0]);
    setsid();
    pid = fork();
    if (pid != 0)
        _exit(pid > 0 ? 0 : EX_OSERR);
    *ret_notify_fd = fds[1];
    return 0;
}

static void let_go(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    log_detach();
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
    if (chdir("/") != 0)
        log_warning("cannot change to the folder /");
}

void daemon_report(int notify_fd, int status)
{
    uint8_t byte = (uint8_t)status;
    if (status == 0)
        let_go();
    if (write(notify_fd, &byte, sizeof byte) != (ssize_t)sizeof byte)
        log_debug("the process that started the daemon is gone");
    close(notify_fd);
}
