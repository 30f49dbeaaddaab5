/*
 * Chance for what shall not happen everywhere at once.
 */
#ifndef ZOMBIE_BASE_DICE_H
#define ZOMBIE_BASE_DICE_H

/* A number from 0 to below 1. */
double dice_throw(void);

#endif
