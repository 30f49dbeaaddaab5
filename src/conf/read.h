/*
 * Reading a small text file as a whole.
 */
#ifndef ZOMBIE_CONF_READ_H
#define ZOMBIE_CONF_READ_H

#include "conf/load.h"

/* No sensible configuration is larger; a wrong file name is found out early. */
#define CONF_FILE_BYTES_MAX (1024 * 1024)

/*
 * Set *ret_text to what the file holds, NUL-terminated; the caller frees it.
 * Returns 0, or -EINVAL with `error` set to "PATH: why" when it cannot be
 * read, is no regular file, is larger than `max` bytes, and so not `what` ("a password"), or has
 * NUL bytes, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int conf_read(const char *path, size_t max, const char *what,
                                                  char **ret_text, char error[CONF_ERROR_SIZE]);

#endif
