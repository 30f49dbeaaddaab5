#include "config.h"

#include "host/oom_score.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "/proc/self/oom_score_adj"
#define ADJ_MAX   1000L

/* From -1000 to 1000. */
static int read_adj(int fd, long *ret_adj)
{
    char text[16];
    char *end = text;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    long adj = strtol(text, &end, 10);
    if (end == text)
        return -EINVAL;
    *ret_adj = adj;
    return 0;
}

static int write_adj(int fd, long adj)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%ld", adj);
    return pwrite(fd, text, (size_t)len, 0) < 0 ? -errno : 0;
}

int oom_score_raise(long adj)
{
    long current = 0;
    if (adj < 0)
        return -EINVAL;
    int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = read_adj(fd, &current);
    if (err == 0)
        err = write_adj(fd, adj < ADJ_MAX - current ? current + adj : ADJ_MAX);
    close(fd);
    return err;
}
