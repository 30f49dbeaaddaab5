/*
 * From assignments to struct conf: the winners, typed and checked one by one
 * and then against each other.
 */
#ifndef ZOMBIE_CONF_RESOLVE_H
#define ZOMBIE_CONF_RESOLVE_H

#include "conf/assignments.h"
#include "conf/conf.h"
#include "conf/source.h"

/*
 * Fill *conf (zeroed) from source->list. Returns 0, or -EINVAL with the error
 * set to the origin of the bad value and what is wrong with it, or -ENOMEM;
 * *conf is then half full and fit for conf_free() only.
 */
__attribute__((warn_unused_result)) int conf_resolve(const struct conf_source *source,
                                                     struct conf *conf);

/*
 * Read the winners of a section's or a handler's rows into `settings`; name.key
 * is not looked at. Returns as conf_resolve().
 */
__attribute__((warn_unused_result)) int conf_resolve_options(const struct conf_source *source,
                                                             struct conf_name name,
                                                             const struct conf_option *options,
                                                             void *settings);

/* Where the titled section of that name is said to exist; NULL when it needs no saying. */
const char *conf_resolve_place(const struct conf_assignments *list, struct conf_name name);

/* What no row can say: values that must fit each other or the machine. Returns 0 or -EINVAL. */
__attribute__((warn_unused_result)) int conf_check(const struct conf_source *source,
                                                   const struct conf *conf);

#endif
