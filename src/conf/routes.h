/*
 * The routes of a configuration: their patterns, handlers and settings, and
 * that no two of them claim the same requests.
 */
#ifndef ZOMBIE_CONF_ROUTES_H
#define ZOMBIE_CONF_ROUTES_H

#include "conf/conf.h"
#include "conf/source.h"

/*
 * Fill conf->routes from what source->list says about `section`. A built-in
 * route that conflicts with one that a human wrote gives way; two of a human's
 * are an error that shows both. Returns as conf_resolve().
 */
__attribute__((warn_unused_result)) int conf_resolve_routes(const struct conf_source *source,
                                                            const struct conf_section *section,
                                                            struct conf *conf);

/* Let each route's handler settle what its settings refer to. Returns as conf_resolve(). */
__attribute__((warn_unused_result)) int conf_resolve_references(const struct conf_source *source,
                                                                struct conf *conf);

#endif
