/*
 * What a configuration asks of this program that only its libraries can judge.
 */
#ifndef ZOMBIE_CLUSTER_SUPPORT_H
#define ZOMBIE_CLUSTER_SUPPORT_H

#include "conf/load.h"

/*
 * Whether the program has what the configuration asks for: the type of the registry, TLS for
 * its URLs; and whether the certificates that it names can be used. Returns 0, -ENOMEM, or -EINVAL
 * with `error` set as by conf_load().
 */
__attribute__((warn_unused_result)) int support_check(const struct conf *conf,
                                                      char error[CONF_ERROR_SIZE]);

#endif
