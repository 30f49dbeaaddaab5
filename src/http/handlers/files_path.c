#include "config.h"

#include "http/handlers/files_path.h"

#include <errno.h>
#include <string.h>

static bool is_dots(const char *name, size_t len)
{
    return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

bool files_path_is_safe(const char *path, bool dot_files)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if (len == 0 || is_dots(path, len) || (path[0] == '.' && !dot_files))
            return false;
        path += len;
        if (*path == '/')
            path++;
    }
    return true;
}

bool files_path_hides_slash(const char *raw_path)
{
    const char *at = raw_path;
    while ((at = strchr(at, '%')) != NULL) {
        if (at[1] == '2' && (at[2] == 'f' || at[2] == 'F'))
            return true;
        at++;
    }
    return false;
}

bool files_path_is_folder(const char *path)
{
    size_t len = strlen(path);
    return len == 0 || path[len - 1] == '/';
}

int files_path_join(const char *path, const char *rest, char *buf, size_t size)
{
    size_t len = strlen(path);
    size_t rest_len = strlen(rest);
    if (len + rest_len >= size)
        return -ENAMETOOLONG;
    memcpy(buf, path, len);
    memcpy(buf + len, rest, rest_len + 1);
    return 0;
}
