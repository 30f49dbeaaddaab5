/*
 * The pid file. The lock on it is the truth, its content is for people: what a
 * killed master left behind never blocks a start.
 */
#ifndef ZOMBIE_HOST_PIDFILE_H
#define ZOMBIE_HOST_PIDFILE_H

struct pidfile;

/*
 * Lock the file (flock(2)), made if need be with mode 0644, and write this
 * process's id. Returns 0; or -errno with a line in the log, which names the
 * holder when another master runs.
 */
__attribute__((warn_unused_result)) int pidfile_open(const char *path,
                                                     struct pidfile **ret_pidfile);

/* Unlink and unlock; NULL is fine. */
void pidfile_close(struct pidfile *pidfile);

#endif
