#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/fail.h"
#include "conf/read.h"

/* Read until the end of the file or until the buffer is full. Bytes read, or -errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(fd, buf + used, size - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

/* What is read, and what for. */
struct reading {
    const char *path;
    size_t max; /* bytes */
    const char *what;
};

/* Read into buf, which has room for a file that is one byte too large and a NUL. */
static int read_text(int fd, const struct reading *reading, char *buf, char error[CONF_ERROR_SIZE])
{
    ssize_t len = read_all(fd, buf, reading->max + 1);

    if (len < 0)
        return conf_fail(error, reading->path, "%s", strerror((int)-len));
    if ((size_t)len > reading->max)
        return conf_fail(error, reading->path, "larger than %zu bytes: not %s", reading->max,
                         reading->what);
    if (memchr(buf, '\0', (size_t)len) != NULL)
        return conf_fail(error, reading->path, "has NUL bytes: not a text file");
    buf[len] = '\0';
    return 0;
}

/* A pipe or a terminal could keep a running master waiting for ever on a reload. */
static int check_regular(int fd, const char *path, char error[CONF_ERROR_SIZE])
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return conf_fail(error, path, "%s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return conf_fail(error, path, "%s", strerror(EISDIR));
    if (!S_ISREG(status.st_mode))
        return conf_fail(error, path, "not a regular file");
    return 0;
}

int conf_read(const char *path, size_t max, const char *what, char **ret_text,
              char error[CONF_ERROR_SIZE])
{
    const struct reading reading = {path, max, what};
    char *buf = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rc;

    if (fd < 0)
        return conf_fail(error, path, "%s", strerror(errno));
    rc = check_regular(fd, path, error);
    if (rc < 0)
        goto out;
    buf = malloc(max + 2);
    rc = buf != NULL ? read_text(fd, &reading, buf, error) : -ENOMEM;
    if (rc < 0)
        goto out;
    *ret_text = buf;
    buf = NULL;
out:
    free(buf);
    (void)close(fd);
    return rc;
}
