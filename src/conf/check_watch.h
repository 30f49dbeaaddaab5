/*
 * Checks of the sections by which people watch and steer: admin and control.
 * For check.c only.
 */
#ifndef ZOMBIE_CONF_CHECK_WATCH_H
#define ZOMBIE_CONF_CHECK_WATCH_H

#include "conf/conf.h"
#include "conf/source.h"

/* Return 0, or -EINVAL with the error set. */
__attribute__((warn_unused_result)) int conf_check_admin(const struct conf_source *source,
                                                         const struct conf *conf);
__attribute__((warn_unused_result)) int conf_check_control(const struct conf_source *source,
                                                           const struct conf *conf);

#endif
