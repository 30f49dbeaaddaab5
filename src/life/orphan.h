/*
 * The second line against outliving the master. The first is end of file on
 * the channel, seen by the loop; this one works when the loop is stuck.
 */
#ifndef ZOMBIE_LIFE_ORPHAN_H
#define ZOMBIE_LIFE_ORPHAN_H

#include <sys/types.h>

/*
 * From now on, when `master` dies, orphan_deadline(grace_ms) happens by a
 * signal (prctl(2), PR_SET_PDEATHSIG), at once if it is dead already. To be
 * called after any change of user: that clears the setting.
 */
void orphan_watch(pid_t master, long grace_ms);

/*
 * Let the kernel end this process in grace_ms, rounded up to seconds (alarm(2)). Who
 * knows that the master is gone calls it; the kernel does not tell it once more.
 */
void orphan_deadline(long grace_ms);

#endif
