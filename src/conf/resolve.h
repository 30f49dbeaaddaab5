/*
 * From assignments to struct conf: the winners, typed and checked one by one
 * and then against each other.
 */
#ifndef ZOMBIE_CONF_RESOLVE_H
#define ZOMBIE_CONF_RESOLVE_H

#include "conf/conf.h"
#include "conf/source.h"

/*
 * Fill *conf (zeroed) from source->list. Returns 0, or -EINVAL with the error
 * set to the origin of the bad value and what is wrong with it, or -ENOMEM;
 * *conf is then half full and fit for conf_free() only.
 */
__attribute__((warn_unused_result)) int conf_resolve(const struct conf_source *source,
                                                     struct conf *conf);

/* What no row can say: values that must fit each other or the machine. Returns 0 or -EINVAL. */
__attribute__((warn_unused_result)) int conf_check(const struct conf_source *source,
                                                   const struct conf *conf);

#endif
