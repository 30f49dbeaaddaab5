#include "config.h"

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

/* The options of one section, allocated; CFG_END-terminated. */
static cfg_opt_t *section_options(const struct conf_section *section,
                                  const struct conf_handler *const *handlers,
                                  const struct conf_grammar_calls *calls)
{
    cfg_opt_t open = CFG_PTR_CB(OPEN_KEY, open_default, CFGF_NONE, calls->open, NULL);
    cfg_opt_t end = CFG_END();
    size_t n = count_keys(section, handlers);
    cfg_opt_t *options = calloc(n + 2, sizeof(*options));

    if (options == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        options[i] = key_option(conf_section_key(section, handlers, i), calls);
    options[n] = section->titled ? open : end;
    options[n + 1] = end;
    return options;
}

static size_t count_sections(void)
{
    size_t n = 0;

    while (conf_sections[n].name != NULL)
        n++;
    return n;
}

static void free_options(cfg_opt_t *options, size_t n_sections)
{
    for (size_t i = 0; options != NULL && i < n_sections; i++)
        free(options[i].subopts);
    free(options);
}

/* The options of the whole file, allocated; what free_options() frees. */
static cfg_opt_t *file_options(const struct conf_handler *const *handlers,
                               const struct conf_grammar_calls *calls, size_t n)
{
    cfg_opt_t include = CFG_FUNC("include", calls->include);
    cfg_opt_t end = CFG_END();
    cfg_opt_t *options = calloc(n + 2, sizeof(*options));

    for (size_t i = 0; options != NULL && i < n; i++) {
        const struct conf_section *section = &conf_sections[i];
        cfg_flag_t flags = section->titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;
        cfg_opt_t *keys = section_options(section, handlers, calls);
        cfg_opt_t option = CFG_SEC(section->name, keys, flags);

        if (keys == NULL) {
            free_options(options, i);
            return NULL;
        }
        options[i] = option;
    }
    if (options != NULL) {
        options[n] = include;
        options[n + 1] = end;
    }
    return options;
}

cfg_t *conf_grammar_new(const struct conf_handler *const *handlers,
                        const struct conf_grammar_calls *calls)
{
    size_t n = count_sections();
    cfg_opt_t *options = file_options(handlers, calls, n);
    cfg_t *cfg = options != NULL ? cfg_init(options, CFGF_NONE) : NULL;

    free_options(options, n);
    if (cfg == NULL)
        return NULL;
    (void)cfg_set_error_function(cfg, calls->complain);
    return cfg;
}
