/*
 * Strict reading of numbers from text: the whole text must be the number.
 */
#ifndef ZOMBIE_BASE_NUMBER_H
#define ZOMBIE_BASE_NUMBER_H

/*
 * Read a decimal whole number from all of `text` (no sign, no space, no
 * leading "0x"; leading zeros are fine). Returns 0 and sets *ret_value, or
 * -EINVAL when text is not such a number, or -ERANGE when it lies outside
 * min..max (both inclusive, both >= 0). *ret_value is untouched on failure.
 */
__attribute__((warn_unused_result)) int number_parse(const char *text, long min, long max,
                                                     long *ret_value);

#endif
