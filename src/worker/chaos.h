/*
 * The ways in which /workerKiller lets a worker die at once.
 */
#ifndef ZOMBIE_WORKER_CHAOS_H
#define ZOMBIE_WORKER_CHAOS_H

#include "ipc/message.h"

/*
 * Die by the signal that `mode` names, or hang: does not return. CHAOS_EXIT is
 * no sudden death and not for this function.
 */
_Noreturn void chaos_die(enum chaos_mode mode);

#endif
