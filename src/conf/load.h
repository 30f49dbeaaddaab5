/*
 * From argv to the effective configuration. Data flows one way: every source
 * (built-in defaults, file, overlay, environment, command line) becomes a list
 * of assignments; the later source wins; the tables of option.h turn the
 * winners into struct conf.
 */
#ifndef ZOMBIE_CONF_LOAD_H
#define ZOMBIE_CONF_LOAD_H

#include <stdio.h>

#include "conf/args.h"
#include "conf/conf.h"

/* Room for the one message of a failed load. */
#define CONF_ERROR_SIZE 1024

/*
 * Load the configuration that `args` asks for. `handlers` (NULL-terminated
 * list, borrowed for the life of the result) says which handlers exist and
 * what they can be told. Returns 0 and gives *ret_conf, which the caller frees
 * with conf_free(); or -EINVAL (bad value, unknown key, unreadable file) or
 * -ENOMEM with `error` set to "where: what", where `where` is FILE:LINE, the
 * name of an environment variable, or the command-line option.
 */
__attribute__((warn_unused_result)) int conf_load(const struct conf_args *args,
                                                  const struct conf_handler *const *handlers,
                                                  struct conf **ret_conf,
                                                  char error[CONF_ERROR_SIZE]);

/*
 * Print the effective configuration as a file that conf_load() accepts, each
 * value with a comment that names its origin. Secrets are masked, so a file
 * with a secret needs it filled in again. Returns 0 or -EIO when out cannot
 * be written.
 */
int conf_dump(const struct conf *conf, FILE *out);

/*
 * The same with the secrets as they are, for conf_load() in another process of
 * ours; never for a file or a log.
 */
int conf_save(const struct conf *conf, FILE *out);

#endif
