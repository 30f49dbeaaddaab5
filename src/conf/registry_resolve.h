/*
 * What the section `registry` comes to beyond its values: URLs taken apart, and the password of
 * its file.
 */
#ifndef ZOMBIE_CONF_REGISTRY_RESOLVE_H
#define ZOMBIE_CONF_REGISTRY_RESOLVE_H

#include "conf/registry.h"
#include "conf/source.h"

/*
 * Take the URLs of the section apart, unless its type is none, and read password_file, unless a
 * higher layer has a password or `is_saved`: what conf_save() wrote has the password in it. Returns
 * 0, or -EINVAL with the error set, or -ENOMEM; conf_registry_clear() frees what there is then.
 */
__attribute__((warn_unused_result)) int conf_registry_resolve(const struct conf_source *source,
                                                              bool is_saved,
                                                              struct conf_registry *registry);

/* Free what was resolved. */
void conf_registry_clear(struct conf_registry *registry);

#endif
