/*
 * Signals as people write them: ABRT, SIGABRT, 6.
 */
#ifndef ZOMBIE_CONF_SIGNAL_NAME_H
#define ZOMBIE_CONF_SIGNAL_NAME_H

#include <stdbool.h>

/* Room for conf_signal_format(). */
#define CONF_SIGNAL_TEXT_SIZE 24

/*
 * Read a signal from all of `text`: a name of sigabbrev_np(3) in any case, with
 * or without SIG before it, or the number of a signal that this system has; a
 * real-time signal has only a number. Returns 0 and sets *ret_number, or -EINVAL
 * and leaves it untouched.
 */
__attribute__((warn_unused_result)) int conf_signal_parse(const char *text, long *ret_number);

/* Write the signal's name without SIG, or its number where it has none: both can be read back. */
void conf_signal_format(long number, char buf[CONF_SIGNAL_TEXT_SIZE]);

/*
 * Whether the signal ends a worker that hangs: some end nobody by default
 * (signal(7)), some are ignored by workers or handled in their loop.
 */
bool conf_signal_ends(long number);

#endif
