/*
 * The signals of the master, as descriptors and bits: nothing runs inside a
 * signal handler.
 */
#ifndef ZOMBIE_CLUSTER_SIGNALS_H
#define ZOMBIE_CLUSTER_SIGNALS_H

/*
 * Block the signals that mean something and take them by signalfd(2). Returns
 * the descriptor (non-blocking, close-on-exec) or -errno.
 */
__attribute__((warn_unused_result)) int signals_open(void);

/* Take all that have come. Returns what they ask for, bits of enum master_want. */
unsigned signals_read(int fd);

/*
 * Send this process the signals that ask for these wants, so that the program
 * that takes its place by execve(2) finds them pending.
 */
void signals_raise(unsigned wants);

#endif
