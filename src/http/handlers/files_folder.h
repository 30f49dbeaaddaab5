/*
 * What is in a folder, sorted, as far as it would be served.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_FOLDER_H
#define ZOMBIE_HTTP_HANDLERS_FILES_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/handlers/files_open.h"

/* The most entries that are read of one folder: it is done in one go. */
#define FILES_ENTRIES_MAX 10000

struct files_entry {
    char *name;      /* as the file system has it: any bytes but '/' */
    uint64_t size;   /* in bytes */
    int64_t mtime_s; /* since the epoch */
    bool is_folder;
};

struct files_folder {
    struct files_entry *entries; /* folders first, then by the bytes of their names */
    size_t n;
    bool is_cut; /* there are more */
};

/*
 * Read the open folder `fd`, which is closed in any case; it is the one at
 * `path` below the root ("" or "a/b/"). Left out are "." and "..", dot files
 * unless dot_files, what is neither file nor folder, and links that cannot be
 * followed. Returns 0, and the folder is to be cleared; or -errno.
 */
__attribute__((warn_unused_result)) int files_folder_read(const struct files_root *root,
                                                          const char *path, int fd, bool dot_files,
                                                          struct files_folder *ret_folder);

void files_folder_clear(struct files_folder *folder);

#endif
