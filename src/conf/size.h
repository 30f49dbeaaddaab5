/*
 * Sizes in memory as people write them: 1048576, 1024K, 1M. The units are
 * powers of 1024.
 */
#ifndef ZOMBIE_CONF_SIZE_H
#define ZOMBIE_CONF_SIZE_H

/* Room for conf_size_format(). */
#define CONF_SIZE_TEXT_SIZE 24

/*
 * Read a size from all of `text`: a whole number without sign or space, alone
 * or with one of K, M, G behind it, in either case. Returns 0 and sets
 * *ret_bytes, or -EINVAL when text is no such size, or -ERANGE when it lies
 * outside min..max bytes (both inclusive, both >= 0). *ret_bytes is untouched
 * on failure.
 */
__attribute__((warn_unused_result)) int conf_size_parse(const char *text, long min, long max,
                                                        long *ret_bytes);

/* Write bytes (>= 0) so that they can be read back, in the largest unit that divides them. */
void conf_size_format(long bytes, char buf[CONF_SIZE_TEXT_SIZE]);

#endif
