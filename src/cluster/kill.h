/*
 * Ending workers: by a word on the channel, or by a signal.
 */
#ifndef ZOMBIE_CLUSTER_KILL_H
#define ZOMBIE_CLUSTER_KILL_H

#include <stdbool.h>
#include <stdint.h>

struct message;
struct slot;

/* Send DRAIN or STOP, and give the worker until deadline_ms; then it is killed. */
void kill_by_message(struct slot *slot, const struct message *message, int64_t deadline_ms);

/* SIGKILL, with a line in the log that says why; `reason` is kept, so a constant. */
void kill_worker(struct slot *slot, const char *reason, int64_t now_ms);

/*
 * A worker whose loop has stood still for silence_ms: instance.hang_signal, so
 * that it may leave a core, and SIGKILL a second later. A successor need not
 * wait for its end.
 */
void kill_hung(struct slot *slot, int64_t silence_ms, int64_t now_ms);

/* Room for kill_signal_name(). */
#define KILL_SIGNAL_SIZE 32

/* A signal for people: "SIGTERM", or "signal 40" for one without a name. */
void kill_signal_name(int number, char ret_name[KILL_SIGNAL_SIZE]);

/*
 * Somebody orders this signal for the worker. What it is to die of counts as
 * meant; with `chaos` whatever it dies of from now on. Returns 0, or -1 with errno of
 * kill(2).
 */
int kill_as_ordered(struct slot *slot, int number, bool chaos, int64_t now_ms);

#endif
