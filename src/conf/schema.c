#include "config.h"

#include <string.h>

#include "conf/schema.h"
#include "conf/spelling.h"

const struct conf_section *conf_section_find(const char *name)
{
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        if (strcmp(section->name, name) == 0)
            return section;
    return NULL;
}

const struct conf_section *conf_section_child(const struct conf_section *parent, size_t n)
{
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        if (section->parent != NULL && strcmp(section->parent, parent->name) == 0 && n-- == 0)
            return section;
    return NULL;
}

const struct conf_option *conf_option_find(const struct conf_option *options, const char *key)
{
    for (const struct conf_option *option = options; option && option->key != NULL; option++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

const struct conf_handler *conf_handler_find(const struct conf_handler *const *handlers,
                                             const char *name)
{
    for (; *handlers != NULL; handlers++)
        if (strcmp((*handlers)->name, name) == 0)
            return *handlers;
    return NULL;
}

/* Whether the section itself or a handler before `end` has the key already. */
static bool key_seen(const struct conf_section *section, const struct conf_handler *const *handlers,
                     const struct conf_handler *const *end, const char *key)
{
    if (conf_option_find(section->options, key) != NULL)
        return true;
    for (; handlers < end; handlers++)
        if (conf_option_find((*handlers)->options, key) != NULL)
            return true;
    return false;
}

const struct conf_option *conf_section_key(const struct conf_section *section,
                                           const struct conf_handler *const *handlers, size_t n)
{
    for (const struct conf_option *option = section->options; option->key != NULL; option++)
        if (n-- == 0)
            return option;
    if (section->selector == NULL)
        return NULL;

    for (const struct conf_handler *const *handler = handlers; *handler != NULL; handler++)
        for (const struct conf_option *option = (*handler)->options;
             option != NULL && option->key != NULL; option++)
            if (!key_seen(section, handlers, handler, option->key) && n-- == 0)
                return option;
    return NULL;
}

const struct conf_option *conf_section_find_key(const struct conf_section *section,
                                                const struct conf_handler *const *handlers,
                                                const char *key)
{
    const struct conf_option *option;

    for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

const char *conf_section_suggest_key(const struct conf_section *section,
                                     const struct conf_handler *const *handlers, const char *key)
{
    struct spelling spelling = spelling_of(key);
    const struct conf_section *child;
    const struct conf_option *option;

    for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
        spelling_try(&spelling, option->key);
    for (size_t i = 0; (child = conf_section_child(section, i)) != NULL; i++)
        spelling_try(&spelling, child->name);
    return spelling.nearest;
}

const char *conf_section_suggest(const char *name)
{
    struct spelling spelling = spelling_of(name);

    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        if (section->parent == NULL)
            spelling_try(&spelling, section->name);
    return spelling.nearest;
}

bool conf_methods_have(const char *methods, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = methods; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if (word == len && strncmp(at, method, len) == 0)
            return true;
        at += word;
        at += strspn(at, ", ");
    }
    return false;
}

void conf_options_list(FILE *out, const struct conf_handler *const *handlers)
{
    const struct conf_option *option;

    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        for (size_t i = 0; (option = conf_section_key(section, handlers, i)) != NULL; i++)
            (void)fprintf(out, "%s.%s\n", section->name, option->key);
}
