/*
 * The option `precompressed`: NAME.br and NAME.gz beside NAME, made by whoever
 * builds the site, instead of compressing again and again.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_VARIANT_H
#define ZOMBIE_HTTP_HANDLERS_FILES_VARIANT_H

#include <sys/stat.h>

#include "http/handlers/files_open.h"

/*
 * Find the compressed form of the file at `path` that the client likes best
 * (accept_encoding: see negotiate_encoding()), among those that are there. A
 * client that likes none as much as the file itself gets that. The forms are
 * taken as they are, however old. Returns a descriptor, the caller's, and
 * fills *ret_stat and *ret_coding (static); -ENOENT when the file itself is to
 * be sent.
 */
__attribute__((warn_unused_result)) int
files_variant_open(const struct files_root *root, const char *path, const char *accept_encoding,
                   struct stat *ret_stat, const char **ret_coding);

#endif
