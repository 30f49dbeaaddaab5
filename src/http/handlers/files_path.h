/*
 * Which paths of a URL may name something below a folder at all. Pure functions
 * over text; what the file system makes of such a path is files_open.h's.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_PATH_H
#define ZOMBIE_HTTP_HANDLERS_FILES_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a decoded path without a leading '/' ("a/b.png"; "" and "a/" are
 * folders) has only segments that are names: none is empty, "." or "..", and
 * none begins with a dot unless dot_files.
 */
bool files_path_is_safe(const char *path, bool dot_files);

/*
 * Whether a path as it was sent has a "%2F": decoded it would become a
 * separator, which whoever wrote it did not mean (RFC 3986 section 2.2).
 */
bool files_path_hides_slash(const char *raw_path);

/* Whether the decoded path names a folder by itself: it is "" or ends with '/'. */
bool files_path_is_folder(const char *path);

/*
 * Write a path and what follows it, nothing in between, into buf of size
 * bytes. Returns 0, or -ENAMETOOLONG when they do not fit; buf is undefined then.
 */
__attribute__((warn_unused_result)) int files_path_join(const char *path, const char *rest,
                                                        char *buf, size_t size);

#endif
