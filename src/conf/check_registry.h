/*
 * Checks of the sections that have to do with registries: what no row can say. For check.c only.
 */
#ifndef ZOMBIE_CONF_CHECK_REGISTRY_H
#define ZOMBIE_CONF_CHECK_REGISTRY_H

#include "conf/conf.h"
#include "conf/source.h"

/* Return 0, or -EINVAL with the error set. */
__attribute__((warn_unused_result)) int conf_check_registry(const struct conf_source *source,
                                                            const struct conf *conf);
__attribute__((warn_unused_result)) int conf_check_distributor(const struct conf_source *source,
                                                               const struct conf *conf);

#endif
