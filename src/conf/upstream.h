/*
 * The upstreams of a configuration, for those whose settings refer to one.
 */
#ifndef ZOMBIE_CONF_UPSTREAM_H
#define ZOMBIE_CONF_UPSTREAM_H

#include "conf/conf.h"
#include "conf/value.h"

/* The upstream of that title, or NULL; it is the conf's, and moves when another one is added. */
const struct conf_upstream *conf_upstream_find(const struct conf *conf, const char *title);

/*
 * For conf_handler.resolve: whether there is an upstream of that title. Returns
 * 0, or -EINVAL with `why` set to "KEY: ..." for the option of that key.
 */
__attribute__((warn_unused_result)) int conf_upstream_require(const struct conf *conf,
                                                              const char *key, const char *title,
                                                              char why[CONF_WHY_SIZE]);

/*
 * For conf_handler.resolve: see to it that there is an upstream whose title and
 * only server is `host_port`, as url_parse() gives it; a new one has defaults for
 * all values. No section of a file has such a title, and the dump leaves it out,
 * since whoever needs it adds it again. Returns 0, or -EINVAL with `why` set to
 * "KEY: ...", or -ENOMEM.
 */
__attribute__((warn_unused_result)) int conf_upstream_add_implicit(struct conf *conf,
                                                                   const char *key,
                                                                   const char *host_port,
                                                                   char why[CONF_WHY_SIZE]);

/*
 * Add an upstream of that title, which is copied, with nothing else in it yet.
 * Returns 0 and sets *ret_upstream, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int conf_upstream_add(struct conf *conf, const char *title,
                                                          struct conf_upstream **ret_upstream);

/*
 * Add a server of that title, which is copied, zeroed otherwise. Returns 0 and
 * sets *ret_server, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int
conf_server_add(struct conf_upstream *upstream, const char *title, struct conf_server **ret_server);

/* Free what the upstream holds, but for its own memory. */
void conf_upstream_clear(struct conf_upstream *upstream);

#endif
