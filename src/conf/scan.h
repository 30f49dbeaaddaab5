/*
 * A first look at a file, before libConfuse reads it. libConfuse 3.3 takes an
 * unclosed string, comment or section for the end of the file, skips stray
 * characters, counts a comment as three lines, forgets its place after a bad
 * escape and tells nobody of an empty list. What passes here it reads right.
 */
#ifndef ZOMBIE_CONF_SCAN_H
#define ZOMBIE_CONF_SCAN_H

#include "conf/load.h"

/*
 * Check the text of a whole file and change it in place, its length and lines
 * kept: comments become spaces, and `= {}` becomes the blank text `= ""`,
 * which conf_value_read() takes for an empty list. `path` is for messages.
 * Returns 0, or -EINVAL with `error` set to "FILE:LINE: what".
 */
__attribute__((warn_unused_result)) int conf_scan(char *text, const char *path,
                                                  char error[CONF_ERROR_SIZE]);

#endif
