/*
 * The option `types`: media types that the configuration has for extensions.
 */
#ifndef ZOMBIE_HTTP_HANDLERS_FILES_TYPES_H
#define ZOMBIE_HTTP_HANDLERS_FILES_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/option.h"
#include "http/mime.h"

/* The most bytes of an item of the option. */
#define FILES_TYPE_MAX 160

struct files_types {
    struct mime_extra *extra; /* for mime_lookup() */
    size_t n;
    char **texts; /* what extra[] points into */
};

/*
 * Whether an item is an extension without its dot, blanks, and a media type
 * (RFC 9110 section 8.3.1), with parameters perhaps: "md text/markdown; charset=utf-8".
 */
bool files_types_is_valid(const char *item);

/* Take valid items apart. Returns 0 or -ENOMEM; then there is nothing to free. */
__attribute__((warn_unused_result)) int files_types_make(const struct conf_list *items,
                                                         struct files_types *ret_types);

void files_types_clear(struct files_types *types);

#endif
