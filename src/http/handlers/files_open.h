/*
 * Opening what lies below a folder, and nothing else: the kernel itself refuses
 * paths and symbolic links that lead out of it (openat2(2), RESOLVE_BENEATH).
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_OPEN_H
#define ZOMBIE_HTTP_HANDLERS_FILES_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/stat.h>

/* Which symbolic links below the folder are followed; the words of the option `symlinks`. */
enum files_symlinks {
    FILES_SYMLINKS_BENEATH, /* those that stay within the folder */
    FILES_SYMLINKS_NONE,    /* none */
};

/*
 * The folder. It is opened once and looked for again when a second has passed,
 * so one that is replaced (a deployment that renames) or comes late is noticed
 * without a look at each request.
 */
struct files_root {
    const char *path; /* absolute; not owned */
    int fd;           /* O_PATH; -1: it is not there */
    int error;        /* -errno of why it is not; 0 */
    int64_t looked_ms;
    uint64_t resolve; /* for openat2(2) */
    bool walks;       /* the kernel does not let us call openat2(2) */
};

/* What is to be opened. */
enum files_kind {
    FILES_READ,   /* something to read from; a fifo does not block */
    FILES_FOLDER, /* a folder to list */
    FILES_LOOK,   /* anything, for fstat(2) only (O_PATH) */
};

/*
 * Open the folder. That it is not there is logged as a warning, and files_open()
 * will say so. Where openat2(2) is forbidden or missing (a seccomp filter, a
 * kernel before 5.6) paths are walked segment by segment, which follows no
 * symbolic link; the log has it once.
 */
void files_root_open(struct files_root *root, const char *path, enum files_symlinks symlinks,
                     int64_t now_ms);

/* Look for the folder again if that is due (now_ms: see clock_now_ms()); log what has changed. */
void files_root_refresh(struct files_root *root, int64_t now_ms);

void files_root_close(struct files_root *root);

/*
 * Open a path below the root, without a leading '/', which passed
 * files_path_is_safe(); "" is the root itself. Returns a descriptor, the
 * caller's, and fills *ret_stat; or -errno.
 */
__attribute__((warn_unused_result)) int files_open(const struct files_root *root, const char *path,
                                                   enum files_kind kind, struct stat *ret_stat);

/*
 * The status for -errno of files_open(): 404 for what is not there or leads out
 * of the root, 403 for what we may not read, 503 for a lack of means, 500 for
 * the rest. Those of 500 and above are logged, once a second at most.
 */
int files_error_status(int error, int64_t now_ms);

#endif
