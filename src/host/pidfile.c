#include "config.h"

#include "host/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct pidfile {
    int fd;
    char *path;
};

/* A holder that ends unlinks the path under our feet: then we have locked a nameless file. */
static bool is_at_path(int fd, const char *path)
{
    struct stat open_file, named_file;
    return fstat(fd, &open_file) == 0 && stat(path, &named_file) == 0 &&
           open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

/* Returns the descriptor of the locked file, or -errno. */
static int open_locked(const char *path)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int err = -errno;
            close(fd);
            return err;
        }
        if (is_at_path(fd, path))
            return fd;
        close(fd);
    }
}

static void explain(const char *path, int err, char error[PIDFILE_ERROR_SIZE])
{
    char holder[24] = "";
    if (err != -EWOULDBLOCK) {
        snprintf(error, PIDFILE_ERROR_SIZE, "cannot use the pid file %s: %s", path, strerror(-err));
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, holder, sizeof holder - 1) : 0;
    if (fd >= 0)
        close(fd);
    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    snprintf(error, PIDFILE_ERROR_SIZE, "the pid file %s is held by a master that runs, process %s",
             path, holder);
}

static int write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

/* A pid file without a descriptor yet, or NULL. */
static struct pidfile *new_pidfile(const char *path)
{
    struct pidfile *pidfile = calloc(1, sizeof *pidfile);
    char *copy = strdup(path);
    if (pidfile == NULL || copy == NULL) {
        free(copy);
        free(pidfile);
        return NULL;
    }
    pidfile->fd = -1;
    pidfile->path = copy;
    return pidfile;
}

static void free_pidfile(struct pidfile *pidfile)
{
    free(pidfile->path);
    free(pidfile);
}

/* Returns the descriptor of the file, locked and written, or -errno. */
static int make_file(const char *path)
{
    int fd = open_locked(path);
    int err = fd < 0 ? fd : write_pid(fd);
    if (err == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return err;
}

int pidfile_open(const char *path, struct pidfile **ret_pidfile, char error[PIDFILE_ERROR_SIZE])
{
    struct pidfile *pidfile = new_pidfile(path);
    int fd = pidfile != NULL ? make_file(path) : -ENOMEM;
    if (fd >= 0) {
        pidfile->fd = fd;
        *ret_pidfile = pidfile;
        return 0;
    }
    explain(path, fd, error);
    if (pidfile != NULL)
        free_pidfile(pidfile);
    return fd;
}

int pidfile_adopt(const char *path, int fd, struct pidfile **ret_pidfile)
{
    /* Who has the lock already gets it again. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return -errno;
    struct pidfile *pidfile = new_pidfile(path);
    if (pidfile == NULL)
        return -ENOMEM;
    pidfile->fd = fd;
    *ret_pidfile = pidfile;
    return 0;
}

int pidfile_check(struct pidfile *pidfile)
{
    if (is_at_path(pidfile->fd, pidfile->path))
        return 0;
    int fd = make_file(pidfile->path);
    if (fd < 0)
        return fd;
    close(pidfile->fd);
    pidfile->fd = fd;
    return 1;
}

bool pidfile_is(const struct pidfile *pidfile, const char *path)
{
    return is_at_path(pidfile->fd, path);
}

int pidfile_fd(const struct pidfile *pidfile)
{
    return pidfile->fd;
}

const char *pidfile_path(const struct pidfile *pidfile)
{
    return pidfile->path;
}

void pidfile_close(struct pidfile *pidfile)
{
    if (pidfile == NULL)
        return;
    if (is_at_path(pidfile->fd, pidfile->path))
        unlink(pidfile->path);
    close(pidfile->fd);
    free_pidfile(pidfile);
}
