#include "config.h"

#include "cluster/access_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"

static int open_target(const char *target)
{
    if (strcmp(target, "stdout") == 0)
        return fcntl(STDOUT_FILENO, F_GETFD) >= 0 ? STDOUT_FILENO : -1;
    if (strcmp(target, "stderr") == 0)
        return fcntl(STDERR_FILENO, F_GETFD) >= 0 ? STDERR_FILENO : -1;
    return open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

int access_file_open(const struct conf_access_log *conf, int *ret_fd)
{
    bool is_off = strcmp(conf->target, "off") == 0;
    int fd = is_off ? -1 : open_target(conf->target);
    if (fd < 0 && !is_off)
        return -errno;
    *ret_fd = fd;
    return 0;
}

void access_file_close(int fd)
{
    if (fd > STDERR_FILENO)
        close(fd);
}
