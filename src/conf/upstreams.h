/*
 * The sections `upstream "TITLE"` of a configuration, with the servers and the
 * checks within them.
 */
#ifndef ZOMBIE_CONF_UPSTREAMS_H
#define ZOMBIE_CONF_UPSTREAMS_H

#include "conf/conf.h"
#include "conf/source.h"

/*
 * Fill conf->upstreams from what source->list says about `section`. Of the
 * servers of one, those of the highest layer that names any are the whole list.
 * Returns as conf_resolve().
 */
__attribute__((warn_unused_result)) int conf_resolve_upstreams(const struct conf_source *source,
                                                               const struct conf_section *section,
                                                               struct conf *conf);

#endif
