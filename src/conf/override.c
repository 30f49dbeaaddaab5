/*
 * Command-line options to assignments.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/list.h"
#include "conf/schema.h"
#include "conf/source.h"

/* Options that set one key. */
static const struct {
    char letter;
    const char *section;
    const char *key;
    const char *value; /* of a switch; NULL: the option has its own */
} shortcuts[] = {
    {'w', "instance", "workers", NULL}, {'n', "instance", "containers", NULL},
    {'p', "instance", "pidfile", NULL}, {'d', "instance", "daemon", "yes"},
    {'C', "chaos", "enabled", "yes"},
};

static struct conf_origin origin_of(const struct conf_override *override)
{
    return (struct conf_origin){CONF_LAYER_COMMAND_LINE, override->option, NULL};
}

static int add_listener(const struct conf_source *source, const struct conf_override *override)
{
    struct conf_name name = {conf_section_find("listen"), override->value, NULL};

    return conf_assignments_add(source->list, name, origin_of(override));
}

static int add_shortcut(const struct conf_source *source, const struct conf_override *override)
{
    for (size_t i = 0; i < sizeof(shortcuts) / sizeof(shortcuts[0]); i++) {
        const char *value = shortcuts[i].value != NULL ? shortcuts[i].value : override->value;
        struct conf_name name = {conf_section_find(shortcuts[i].section), NULL, shortcuts[i].key};

        if (shortcuts[i].letter == override->letter)
            return conf_assignments_set(source->list, name, origin_of(override), value);
    }
    return -EINVAL;
}

/* The parts of "section.title.key=value", cut out of a copy in place. */
struct setting {
    char *section;
    char *title; /* NULL: none */
    char *key;
    char *value;
};

static bool cut_setting(char *text, struct setting *ret_setting)
{
    char *equals = strchr(text, '=');
    char *first, *last;

    if (equals == NULL)
        return false;
    *equals = '\0';
    first = strchr(text, '.');
    last = strrchr(text, '.');
    if (first == NULL)
        return false;
    *first = '\0';
    *last = '\0';
    *ret_setting = (struct setting){text, last > first ? first + 1 : NULL, last + 1, equals + 1};
    return true;
}

/* A listener must be there: an option that changed nothing would be a silent mistake. */
static bool has_listener(const struct conf_source *source, const struct conf_section *section,
                         const char *title)
{
    struct conf_name name = {section, title, NULL};
    enum conf_layer layer = conf_assignments_naming_layer(source->list, section);

    return conf_assignments_find_in(source->list, name, layer) != NULL;
}

/* Find section and row of a setting, or fail with what is wrong about it. */
static int check_setting(const struct conf_source *source, const char *where,
                         const struct setting *setting, struct conf_name *ret_name,
                         const struct conf_option **ret_option)
{
    const struct conf_section *section = conf_section_find(setting->section);
    const struct conf_option *option;

    if (section == NULL)
        return conf_fail(source->error, where, "unknown section '%.100s'", setting->section);
    option = conf_section_find_key(section, source->handlers, setting->key);
    if (option == NULL)
        return conf_fail(source->error, where, "unknown key '%.100s' in section %s", setting->key,
                         section->name);
    if (section->titled && setting->title == NULL)
        return conf_fail(source->error, where, "section %s needs a title: %s.TITLE.%s=VALUE",
                         section->name, section->name, option->key);
    if (!section->titled && setting->title != NULL)
        return conf_fail(source->error, where, "section %s has no titles: %s.%s=VALUE",
                         section->name, section->name, option->key);
    if (strcmp(section->name, "listen") == 0 && !has_listener(source, section, setting->title))
        return conf_fail(source->error, where, "there is no listener \"%.200s\"", setting->title);

    *ret_name = (struct conf_name){section, setting->title, option->key};
    *ret_option = option;
    return 0;
}

static int add_list(const struct conf_source *source, struct conf_name name,
                    struct conf_origin origin, const char *value, const char *separators)
{
    struct conf_list list = {NULL, 0};
    int rc = conf_list_split(&list, value, separators);

    if (rc == 0)
        rc = conf_assignments_add(source->list, name, origin);
    for (size_t i = 0; rc == 0 && i < list.n; i++)
        rc = conf_assignments_add_value(source->list, list.items[i]);
    conf_list_clear(&list);
    return rc;
}

/* A key of a route that nobody named before names it. */
static int add_title(const struct conf_source *source, struct conf_name name,
                     struct conf_origin origin)
{
    name.key = NULL;
    if (name.title == NULL || conf_assignments_newest(source->list, name) != NULL)
        return 0;
    return conf_assignments_add(source->list, name, origin);
}

static int add_setting(const struct conf_source *source, const struct conf_override *override)
{
    struct conf_origin origin = origin_of(override);
    const struct conf_option *option = NULL;
    struct setting setting;
    struct conf_name name;
    char *text = strdup(override->value);
    int rc = -ENOMEM;

    if (text == NULL)
        goto out;
    if (!cut_setting(text, &setting)) {
        rc = conf_fail(source->error, origin.where,
                       "'%.200s' is not SECTION.KEY=VALUE or SECTION.TITLE.KEY=VALUE",
                       override->value);
        goto out;
    }
    rc = check_setting(source, origin.where, &setting, &name, &option);
    if (rc == 0)
        rc = add_title(source, name, origin);
    if (rc < 0)
        goto out;
    assert(option != NULL);
    if (option->type == CONF_NETWORKS)
        rc = add_list(source, name, origin, setting.value, CONF_LIST_WORDS);
    else if (option->type == CONF_TEXTS)
        rc = add_list(source, name, origin, setting.value, CONF_LIST_TEXTS);
    else
        rc = conf_assignments_set(source->list, name, origin, setting.value);
out:
    free(text);
    return rc;
}

/* Listeners first: a later -o may speak of one that a later -l names. */
int conf_source_args(const struct conf_source *source, const struct conf_args *args)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < args->n_overrides; i++)
        if (args->overrides[i].letter == 'l')
            rc = add_listener(source, &args->overrides[i]);
    for (size_t i = 0; rc == 0 && i < args->n_overrides; i++) {
        if (args->overrides[i].letter == 'o')
            rc = add_setting(source, &args->overrides[i]);
        else if (args->overrides[i].letter != 'l')
            rc = add_shortcut(source, &args->overrides[i]);
    }
    return rc;
}
