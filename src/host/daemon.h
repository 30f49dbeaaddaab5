/*
 * Going to the background, for old init systems (daemon(7)): the caller's
 * process waits until the instance listens, so its exit status tells the truth.
 */
#ifndef ZOMBIE_HOST_DAEMON_H
#define ZOMBIE_HOST_DAEMON_H

/*
 * Fork twice into a session of its own. Returns in the new process with
 * *ret_notify_fd for daemon_report(); the caller's process exits with what is
 * reported. Returns -errno when it cannot.
 */
__attribute__((warn_unused_result)) int daemon_begin(int *ret_notify_fd);

/*
 * Tell the waiting process to exit with this status. When it is 0 the daemon
 * also lets go of the terminal: standard streams become /dev/null, the working
 * folder becomes "/".
 */
void daemon_report(int notify_fd, int status);

#endif
