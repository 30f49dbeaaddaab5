/*
 * Descriptors: the standard ones, and how many more there may be.
 */
#ifndef ZOMBIE_HOST_DESCRIPTORS_H
#define ZOMBIE_HOST_DESCRIPTORS_H

#include <stddef.h>

/*
 * Fill what is missing of the descriptors 0, 1 and 2 with /dev/null, first
 * thing in main(): else the next file that is opened becomes standard error.
 */
void descriptors_fill_standard(void);

/*
 * Raise this process's limit (RLIMIT_NOFILE, getrlimit(2)), which children
 * inherit, to `needed` descriptors, or as far as it may. Returns the limit that
 * holds then.
 */
size_t descriptors_raise(size_t needed);

#endif
