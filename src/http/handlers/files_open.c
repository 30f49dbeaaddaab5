#include "config.h"

#include "http/handlers/files_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "base/log.h"

#define LOOK_AGAIN_MS 1000
#define LOG_AGAIN_MS  1000

/* A rename somewhere else can make the kernel give up (EAGAIN); it will not for ever. */
#define TRIES 8

static const int flags_of[] = {
    [FILES_READ] = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    [FILES_FOLDER] = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
    [FILES_LOOK] = O_PATH | O_CLOEXEC,
};

/* Returns a descriptor or -errno. glibc has no wrapper. */
static int call_openat2(int folder, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = resolve};
    int tries = 0;
    long fd;
    do
        fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < TRIES);
    return fd < 0 ? -errno : (int)fd;
}

/* Probed at a place where nothing but the kernel's policy can say no. */
static bool openat2_is_missing(void)
{
    int fd = call_openat2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd == -ENOSYS || fd == -EPERM;
}

static void say_that_it_walks(void)
{
    static bool said;
    if (!said)
        log_warning("files: openat2 is not available here: no symbolic link below a root is "
                    "followed");
    said = true;
}

/* Whether the failure is our own and says nothing about the folder. */
static bool is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EINTR;
}

static void lose(struct files_root *root, int error)
{
    if (root->error != error)
        log_warning("files: root %s: %s: nothing is served from it, looking again each second",
                    root->path, strerror(-error));
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
    root->error = error;
}

static void find(struct files_root *root, int fd)
{
    if (root->error != 0)
        log_info("files: root %s is there now", root->path);
    if (root->fd >= 0)
        close(root->fd);
    root->fd = fd;
    root->error = 0;
}

static void look(struct files_root *root, int64_t now_ms)
{
    int fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    root->looked_ms = now_ms;
    if (fd >= 0)
        find(root, fd);
    else if (!is_shortage(-errno) || root->fd < 0)
        lose(root, -errno);
}

void files_root_open(struct files_root *root, const char *path, enum files_symlinks symlinks,
                     int64_t now_ms)
{
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (symlinks == FILES_SYMLINKS_NONE)
        resolve |= RESOLVE_NO_SYMLINKS;
    *root = (struct files_root){
        .path = path, .fd = -1, .resolve = resolve, .walks = openat2_is_missing()};
    if (root->walks)
        say_that_it_walks();
    look(root, now_ms);
}

void files_root_refresh(struct files_root *root, int64_t now_ms)
{
    if (now_ms - root->looked_ms >= LOOK_AGAIN_MS)
        look(root, now_ms);
}

void files_root_close(struct files_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

/* Open the segment of len bytes; what is not the last one is a folder. Returns it or -errno. */
static int open_segment(int folder, const char *name, size_t len, int flags)
{
    char text[NAME_MAX + 1];
    if (len >= sizeof text)
        return -ENAMETOOLONG;
    memcpy(text, name, len);
    text[len] = '\0';
    int fd = openat(folder, text, flags | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    return fd;
}

static int walk(int root, const char *path, int flags)
{
    int folder = root;
    for (;;) {
        size_t len = strcspn(path, "/");
        bool is_last = path[len] == '\0';
        int fd =
            open_segment(folder, path, len, is_last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder != root)
            close(folder);
        if (fd < 0 || is_last)
            return fd;
        folder = fd;
        path += len + 1;
        if (*path == '\0')
            path = ".";
    }
}

int files_open(const struct files_root *root, const char *path, enum files_kind kind,
               struct stat *ret_stat)
{
    if (root->fd < 0)
        return root->error;
    if (*path == '\0')
        path = ".";
    int fd = root->walks ? walk(root->fd, path, flags_of[kind])
                         : call_openat2(root->fd, path, flags_of[kind], root->resolve);
    if (fd < 0)
        return fd;
    struct stat found;
    if (fstat(fd, &found) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    /* A link itself can only come from O_PATH with O_NOFOLLOW, that is from walk(). */
    if (S_ISLNK(found.st_mode)) {
        close(fd);
        return -ELOOP;
    }
    *ret_stat = found;
    return fd;
}

static const struct {
    int error;
    int status;
} statuses[] = {
    {ENOENT, 404}, {ENOTDIR, 404}, {ELOOP, 404},  {EXDEV, 404}, {ENAMETOOLONG, 404},
    {ENXIO, 404},  {ENODEV, 404},  {EACCES, 403}, {EPERM, 403}, {EMFILE, 503},
    {ENFILE, 503}, {ENOMEM, 503},  {EAGAIN, 503}, {EINTR, 503},
};

static int find_status(int error)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].error == -error)
            return statuses[i].status;
    return 500;
}

int files_error_status(int error, int64_t now_ms)
{
    static int64_t logged_ms = -LOG_AGAIN_MS;
    int status = find_status(error);
    if (status >= 500 && now_ms - logged_ms >= LOG_AGAIN_MS) {
        logged_ms = now_ms;
        log_warning("files: cannot open a file: %s; answering %d, saying so once a second at most",
                    strerror(-error), status);
    }
    return status;
}
