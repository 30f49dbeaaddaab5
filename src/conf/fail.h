/*
 * The one message of a failed load. Many steps may find something wrong; the
 * first finding is the one that people read.
 */
#ifndef ZOMBIE_CONF_FAIL_H
#define ZOMBIE_CONF_FAIL_H

#include "conf/load.h"

/*
 * Set `error` to "where: what" (only "what" when where is NULL), unless an
 * earlier step has filled it. Returns -EINVAL, for `return conf_fail(...)`.
 */
__attribute__((format(printf, 3, 4))) int conf_fail(char error[CONF_ERROR_SIZE], const char *where,
                                                    const char *format, ...);

#endif
