#include "config.h"

#include "http/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/mime_types.h"

/* What follows the last dot of the last segment; NULL without a dot. */
static const char *find_extension(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    return dot != NULL ? dot + 1 : NULL;
}

static int by_extension(const void *extension, const void *type)
{
    return strcasecmp(extension, ((const struct mime_type *)type)->extension);
}

const char *mime_lookup(const struct mime_extra *extra, size_t n, const char *path)
{
    const char *extension = find_extension(path);
    if (extension == NULL)
        return MIME_DEFAULT;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(extra[i].extension, extension) == 0)
            return extra[i].type;
    const struct mime_type *found =
        bsearch(extension, mime_types, mime_n_types, sizeof mime_types[0], by_extension);
    return found != NULL ? found->type : MIME_DEFAULT;
}

const char *mime_type_of(const char *path)
{
    return mime_lookup(NULL, 0, path);
}
