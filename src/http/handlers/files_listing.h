/*
 * The listing of a folder: a page for people, JSON for programs (the form of
 * nginx's `autoindex_format json`). Names may have any bytes; what is not UTF-8
 * or would not print is shown as U+FFFD, while links lead to the name itself.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_LISTING_H
#define ZOMBIE_HTTP_HANDLERS_FILES_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct files_folder;

enum files_listing { FILES_LISTING_HTML, FILES_LISTING_JSON };

/*
 * Write the listing of a folder whose URL has this decoded path; has_parent: a
 * link leads up. Returns it, *ret_len bytes and allocated; NULL when memory is
 * short.
 */
char *files_listing_write(const struct files_folder *folder, const char *path, bool has_parent,
                          enum files_listing form, size_t *ret_len);

#endif
