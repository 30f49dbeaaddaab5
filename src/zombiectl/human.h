/*
 * Figures for people, short enough for a table: 3d4h, 1.2k, 12.3M.
 */
#ifndef ZOMBIE_ZOMBIECTL_HUMAN_H
#define ZOMBIE_ZOMBIECTL_HUMAN_H

#include <stdint.h>

/* Room for any of them, terminating NUL included. */
#define HUMAN_SIZE 32

/* Milliseconds in the two largest units: 0ms, 950ms, 12s, 3m12s, 5h, 3d4h. Less than 0 is 0. */
void human_duration(int64_t ms, char buf[HUMAN_SIZE]);

/* The same in the largest unit alone: 0s, 12s, 3m, 5h, 3d. */
void human_age(int64_t ms, char buf[HUMAN_SIZE]);

/* A number with k, M, G, T for thousands: 999, 1.2k, 123k, 12.3M; never more than there is. */
void human_count(uint64_t count, char buf[HUMAN_SIZE]);

/* The same for bytes, by 1024: 1023, 1.0K, 12.3M. */
void human_bytes(uint64_t bytes, char buf[HUMAN_SIZE]);

/* So many a second, or per cent: 0.0, 1.5, 99.9, 123, 1.2k. Less than 0 is 0. */
void human_rate(double rate, char buf[HUMAN_SIZE]);

#endif
