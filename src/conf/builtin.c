/*
 * The lowest layer: sections that are there without a file. (Values that
 * nobody sets come from the `fallback` of their rows.)
 */
#include "config.h"

#include "conf/schema.h"
#include "conf/source.h"

static const struct {
    const char *section;
    const char *title;
    const char *key; /* NULL: the section without keys */
    const char *value;
} builtins[] = {
    {"listen", "127.0.0.1:3000", NULL, NULL},
    {"route", "/{$}", "handler", "identity"},
    {"route", "/hello", "handler", "text"},
    {"route", "/healthcheck", "handler", "health"},
    {"route", "/workerKiller", "handler", "worker_killer"},
};

int conf_source_builtin(const struct conf_source *source)
{
    struct conf_origin origin = {CONF_LAYER_BUILTIN, "built-in", NULL};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        struct conf_name name = {.section = conf_section_find(builtins[i].section),
                                 .title = builtins[i].title};

        rc = conf_assignments_add(source->list, name, origin);
        name.key = builtins[i].key;
        if (rc == 0 && name.key != NULL)
            rc = conf_assignments_set(source->list, name, origin, builtins[i].value);
    }
    return rc;
}
