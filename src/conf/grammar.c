#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include "conf/grammar.h"
#include "conf/schema.h"

/*
 * libConfuse keeps no line of where a section opens, but it parses the
 * defaults of a titled section's options at that moment. So each has an option
 * more whose default calls us. libConfuse takes a name with '|' for a path of
 * sections: nobody can set this one in a file.
 */
#define OPEN_KEY "section|opens"

static char open_default[] = "now"; /* libConfuse wants it writable, and only reads it */

static size_t count_keys(const struct conf_section *section,
                         const struct conf_handler *const *handlers)
{
    size_t n = 0;

    while (conf_section_key(section, handlers, n) != NULL)
        n++;
    return n;
}

static cfg_opt_t key_option(const struct conf_option *option,
                            const struct conf_grammar_calls *calls)
{
    cfg_opt_t list = CFG_STR_LIST_CB(option->key, NULL, CFGF_NODEFAULT, calls->set);
    cfg_opt_t text = CFG_STR_CB(option->key, NULL, CFGF_NODEFAULT, calls->set);

    return conf_type_is_list(option->type) ? list : text;
}

static size_t count_children(const struct conf_section *section)
{
    size_t n = 0;

    while (conf_section_child(section, n) != NULL)
        n++;
    return n;
}

/* Free options, and those of the sections among them, up to their CFG_END. */
static void free_options(cfg_opt_t *options)
{
    for (cfg_opt_t *option = options; option != NULL && option->name != NULL; option++)
        if (option->subopts != NULL)
            free_options(option->subopts);
    free(options);
}

static cfg_opt_t *section_options(const struct conf_section *section,
                                  const struct conf_handler *const *handlers,
                                  const struct conf_grammar_calls *calls);

/* Set *option to the section with all that is in it; false without memory. */
static bool make_section(const struct conf_section *section,
                         const struct conf_handler *const *handlers,
                         const struct conf_grammar_calls *calls, cfg_opt_t *option)
{
    cfg_flag_t flags = section->titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;
    cfg_opt_t *options = section_options(section, handlers, calls);
    cfg_opt_t made = CFG_SEC(section->name, options, flags);

    if (options == NULL)
        return false;
    *option = made;
    return true;
}

/* The options of one section, allocated; CFG_END-terminated. Sections are not nested deeply. */
static cfg_opt_t *section_options(const struct conf_section *section,
                                  const struct conf_handler *const *handlers,
                                  const struct conf_grammar_calls *calls)
{
    cfg_opt_t open = CFG_PTR_CB(OPEN_KEY, open_default, CFGF_NONE, calls->open, NULL);
    size_t n_keys = count_keys(section, handlers), n = n_keys + count_children(section);
    cfg_opt_t *options = calloc(n + 2, sizeof(*options)); /* zeros are CFG_END */

    if (options == NULL)
        return NULL;
    for (size_t i = 0; i < n_keys; i++)
        options[i] = key_option(conf_section_key(section, handlers, i), calls);
    for (size_t i = n_keys; i < n; i++) {
        if (!make_section(conf_section_child(section, i - n_keys), handlers, calls, &options[i])) {
            free_options(options);
            return NULL;
        }
    }
    if (section->titled)
        options[n] = open;
    return options;
}

/* More than stand in the file itself. */
static size_t count_sections(void)
{
    size_t n = 0;

    while (conf_sections[n].name != NULL)
        n++;
    return n;
}

/* The options of the whole file, allocated; what free_options() frees. */
static cfg_opt_t *file_options(const struct conf_handler *const *handlers,
                               const struct conf_grammar_calls *calls)
{
    cfg_opt_t include = CFG_FUNC("include", calls->include);
    cfg_opt_t *options = calloc(count_sections() + 2, sizeof(*options));
    size_t n = 0;

    if (options == NULL)
        return NULL;
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++) {
        if (section->parent != NULL)
            continue;
        if (!make_section(section, handlers, calls, &options[n++])) {
            free_options(options);
            return NULL;
        }
    }
    options[n] = include;
    return options;
}

cfg_t *conf_grammar_new(const struct conf_handler *const *handlers,
                        const struct conf_grammar_calls *calls)
{
    cfg_opt_t *options = file_options(handlers, calls);
    cfg_t *cfg = options != NULL ? cfg_init(options, CFGF_NONE) : NULL;

    free_options(options);
    if (cfg == NULL)
        return NULL;
    (void)cfg_set_error_function(cfg, calls->complain);
    return cfg;
}
