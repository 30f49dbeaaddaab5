/*
 * What the service manager is told: the protocol of sd_notify(3), which is
 * documented and stable. Without libsystemd, whose libraries would cost the
 * master more start-up time and memory than all of its own code.
 */
#ifndef ZOMBIE_HOST_NOTIFY_H
#define ZOMBIE_HOST_NOTIFY_H

#include <stdint.h>

/* Longest message; put the longest assignment (STATUS=) last. */
#define NOTIFY_MESSAGE_SIZE 2048

/*
 * Remember NOTIFY_SOCKET (an absolute path or, with '@', an abstract name;
 * others are ignored), WATCHDOG_USEC and WATCHDOG_PID (sd_watchdog_enabled(3)).
 * They stay in the environment, for the program that this process may execve(2).
 */
void notify_open(void);

/*
 * Send assignments, separated by newlines, in one datagram: "READY=1\nSTATUS=...".
 * Never waits and never fails: what the manager has no room for now, and what is
 * left of a message after NOTIFY_MESSAGE_SIZE - 1 bytes, is lost. Does nothing
 * without NOTIFY_SOCKET.
 */
__attribute__((format(printf, 1, 2))) void notify_send(const char *format, ...);

/*
 * How often to send "WATCHDOG=1", in milliseconds, 1 at least: half of what the
 * manager waits. 0 when it waits for none, or not for this process.
 */
int64_t notify_watchdog_ms(void);

/* CLOCK_MONOTONIC in microseconds: RELOADING=1 must come with MONOTONIC_USEC=. */
int64_t notify_monotonic_us(void);

#endif
