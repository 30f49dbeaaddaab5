/*
 * The one message of a failed load. Many steps may find something wrong; the
 * first finding is the one that people read.
 */
#ifndef ZOMBIE_CONF_FAIL_H
#define ZOMBIE_CONF_FAIL_H

#include "conf/load.h"
#include "conf/source.h"

/* Where a value comes from: "FILE:LINE" and the like, or "built-in". */
const char *conf_check_place(const struct conf_source *source, struct conf_name name);

/*
 * Set `error` to "where: what" (only "what" when where is NULL), unless an
 * earlier step has filled it. Returns -EINVAL, for `return conf_fail(...)`.
 */
__attribute__((format(printf, 3, 4))) int conf_fail(char error[CONF_ERROR_SIZE], const char *where,
                                                    const char *format, ...);

#endif
