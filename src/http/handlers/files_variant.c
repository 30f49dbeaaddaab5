#include "config.h"

#include "http/handlers/files_variant.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <unistd.h>

#include "http/handlers/files_path.h"
#include "http/negotiate.h"

#define FORMS 3

static const struct form {
    const char *coding;
    const char *suffix; /* NULL: the file itself */
} forms[FORMS] = {{"br", ".br"}, {"gzip", ".gz"}, {"identity", NULL}};

/* Open a regular file; -ENOENT for anything else. */
static int open_file(const struct files_root *root, const char *path, const char *suffix,
                     struct stat *ret_stat)
{
    char name[PATH_MAX];
    struct stat found;
    if (files_path_join(path, suffix, name, sizeof name) != 0)
        return -ENOENT;
    int fd = files_open(root, name, FILES_READ, &found);
    if (fd < 0)
        return -ENOENT;
    if (!S_ISREG(found.st_mode)) {
        close(fd);
        return -ENOENT;
    }
    *ret_stat = found;
    return fd;
}

int files_variant_open(const struct files_root *root, const char *path, const char *accept_encoding,
                       struct stat *ret_stat, const char **ret_coding)
{
    struct form left[FORMS] = {forms[0], forms[1], forms[2]};
    for (size_t n = FORMS; n > 0; n--) {
        const char *codings[FORMS] = {left[0].coding, left[1].coding, left[2].coding};
        size_t best = negotiate_encoding(accept_encoding, codings, n);
        if (best >= n || left[best].suffix == NULL)
            break;
        int fd = open_file(root, path, left[best].suffix, ret_stat);
        if (fd >= 0) {
            *ret_coding = left[best].coding;
            return fd;
        }
        for (size_t i = best; i + 1 < n; i++)
            left[i] = left[i + 1];
    }
    return -ENOENT;
}
