/*
 * The pid file. The lock on it is the truth, its content is for people: what a
 * killed master left behind never blocks a start.
 */
#ifndef ZOMBIE_HOST_PIDFILE_H
#define ZOMBIE_HOST_PIDFILE_H

#include <stdbool.h>

struct pidfile;

/* Room for why there can be none. */
#define PIDFILE_ERROR_SIZE 512

/*
 * Lock the file (flock(2)), made if need be with mode 0644, and write this
 * process's id. Returns 0; or -errno, and `error` says why and names the holder when
 * another master runs.
 */
__attribute__((warn_unused_result)) int pidfile_open(const char *path, struct pidfile **ret_pidfile,
                                                     char error[PIDFILE_ERROR_SIZE]);

/*
 * Take over, after execve(2), the descriptor of the file at `path` that this
 * process has locked; it gets FD_CLOEXEC again. The path may name another file
 * by now: pidfile_check() tells. Returns 0, or -errno, and then the descriptor
 * stays the caller's: -EBADF, -ENOMEM, -EWOULDBLOCK when another process has
 * the lock.
 */
__attribute__((warn_unused_result)) int pidfile_adopt(const char *path, int fd,
                                                      struct pidfile **ret_pidfile);

/*
 * Look whether the path still names the locked file, and if not make, lock and
 * write it again: somebody may have deleted or replaced it, its folder may have
 * vanished and come back. Returns 0 when all is well, 1 when it had to and
 * could (pidfile_fd() is another then); or -errno when it cannot now, and then
 * the old file stays locked: -EWOULDBLOCK while another master that lives holds
 * the new one, -ENOENT without the folder. Logs nothing.
 */
__attribute__((warn_unused_result)) int pidfile_check(struct pidfile *pidfile);

/* Whether this path, too, leads to the file. */
bool pidfile_is(const struct pidfile *pidfile, const char *path);

/* The descriptor that has the lock, and the path; both stay the pid file's. */
int pidfile_fd(const struct pidfile *pidfile);
const char *pidfile_path(const struct pidfile *pidfile);

/* Unlink and unlock; NULL is fine. */
void pidfile_close(struct pidfile *pidfile);

#endif
