/*
 * zombiectl chaos: kill workers by plan, under a load of its own, and judge what
 * was lost.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_H
#define ZOMBIE_ZOMBIECTL_CHAOS_H

#include "zombiectl/zombiectl.h"

zombiectl_command chaos_command;

#endif
