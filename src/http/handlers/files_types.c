#include "config.h"

#include "http/handlers/files_types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/octets.h"

/* An extension ends where mime_lookup() would not find it any more: no dot, no slash. */
static size_t extension_span(const char *item)
{
    return strcspn(item, " \t./");
}

static const char *type_in(const char *item)
{
    const char *type = item + extension_span(item);
    return type + strspn(type, " \t");
}

/* Parameters are not taken apart; only what would break the header field is refused. */
static bool is_media_type(const char *type)
{
    size_t len = strlen(type);
    size_t first = octets_span(type, len, OCTET_TOKEN);
    if (first == 0 || type[first] != '/')
        return false;
    const char *subtype = type + first + 1;
    size_t second = octets_span(subtype, strlen(subtype), OCTET_TOKEN);
    const char *rest = subtype + second;
    if (second == 0 || octets_text(rest, strlen(rest)) != strlen(rest))
        return false;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

bool files_types_is_valid(const char *item)
{
    size_t extension = extension_span(item);
    bool is_parted = item[extension] == ' ' || item[extension] == '\t';
    return extension > 0 && octets_text(item, extension) == extension && is_parted &&
           is_media_type(type_in(item));
}

static int add(struct files_types *types, const char *item)
{
    char *text = strdup(item);
    if (text == NULL)
        return -ENOMEM;
    const char *type = type_in(text);
    text[extension_span(text)] = '\0';
    types->texts[types->n] = text;
    types->extra[types->n++] = (struct mime_extra){text, type};
    return 0;
}

int files_types_make(const struct conf_list *items, struct files_types *ret_types)
{
    /* One more than needed: calloc(3) of nothing may be NULL. */
    struct files_types types = {.extra = calloc(items->n + 1, sizeof *types.extra),
                                .texts = calloc(items->n + 1, sizeof *types.texts)};
    int rc = types.extra == NULL || types.texts == NULL ? -ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < items->n; i++)
        rc = add(&types, items->items[i]);
    if (rc < 0)
        files_types_clear(&types);
    else
        *ret_types = types;
    return rc;
}

void files_types_clear(struct files_types *types)
{
    for (size_t i = 0; i < types->n; i++)
        free(types->texts[i]);
    free(types->texts);
    free(types->extra);
    *types = (struct files_types){0};
}
