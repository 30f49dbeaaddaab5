/*
 * Command-line options to assignments.
 */
#include "config.h"

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
    struct conf_name name = {.section = conf_section_find("listen"), .title = override->value};

    return conf_assignments_add(source->list, name, origin_of(override));
}

static int add_shortcut(const struct conf_source *source, const struct conf_override *override)
{
    for (size_t i = 0; i < sizeof(shortcuts) / sizeof(shortcuts[0]); i++) {
        const char *value = shortcuts[i].value != NULL ? shortcuts[i].value : override->value;
        struct conf_name name = {.section = conf_section_find(shortcuts[i].section),
                                 .key = shortcuts[i].key};

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

/*
 * Whether "api.server.10.0.0.1:80" or "api.check", a title as it was cut, leads
 * into that child of the section; *name is the child then.
 */
static bool enter_child(const struct conf_section *child, char *title, struct conf_name *name)
{
    size_t len = strlen(child->name);

    for (char *dot = strchr(title, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        char *end = dot + 1 + len;

        if (strncmp(dot + 1, child->name, len) != 0 || *end != (child->titled ? '.' : '\0'))
            continue;
        *dot = '\0';
        *name = (struct conf_name){
            .section = child, .title = child->titled ? end + 1 : NULL, .outer = title};
        return true;
    }
    return false;
}

/* What a setting is about. */
struct target {
    struct conf_name name;
    const struct conf_option *option; /* NULL: the value is titles of name.section */
};

/* Follow the setting's title and key down from the section, as far as they lead. */
static void find_target(const struct conf_source *source, const struct conf_section *section,
                        const struct setting *setting, struct target *target)
{
    const struct conf_section *child;

    *target = (struct target){.name = {.section = section, .title = setting->title}};
    for (size_t i = 0; setting->title && (child = conf_section_child(section, i)) != NULL; i++) {
        if (child->titled && strcmp(child->name, setting->key) == 0) {
            target->name = (struct conf_name){.section = child, .outer = setting->title};
            return;
        }
        if (enter_child(child, setting->title, &target->name))
            break;
    }
    target->option = conf_section_find_key(target->name.section, source->handlers, setting->key);
    target->name.key = target->option != NULL ? target->option->key : setting->key;
}

/* Refuse a section that is said to have no title, or one, or a place, and has another. */
static int check_place(const struct conf_source *source, const char *where,
                       const struct setting *setting, const struct conf_section *section)
{
    if (section->parent != NULL)
        return conf_fail(source->error, where, "section %s stands in a section %s: %s.TITLE.%s...",
                         section->name, section->parent, section->parent, section->name);
    if (section->titled && setting->title == NULL)
        return conf_fail(source->error, where, "section %s needs a title: %s.TITLE.%.100s=VALUE",
                         section->name, section->name, setting->key);
    if (!section->titled && setting->title != NULL)
        return conf_fail(source->error, where, "section %s has no titles: %s.%.100s=VALUE",
                         section->name, section->name, setting->key);
    return 0;
}

/* But for routes a title must be there: an option that changed nothing would be a silent mistake.
 */
static int check_title(const struct conf_source *source, const char *where, struct conf_name name)
{
    const char *noun;

    if (!name.section->titled && name.outer != NULL)
        name = (struct conf_name){.section = conf_section_find(name.section->parent),
                                  .title = name.outer};
    if (name.title == NULL || name.section->selector != NULL ||
        conf_assignments_have(source->list, name))
        return 0;
    noun = strcmp(name.section->name, "listen") == 0 ? "listener" : name.section->name;
    if (name.outer != NULL)
        return conf_fail(source->error, where, "there is no %s \"%.200s\" in %s \"%.100s\"", noun,
                         name.title, name.section->parent, name.outer);
    return conf_fail(source->error, where, "there is no %s \"%.200s\"", noun, name.title);
}

/* Find what a setting is about, or fail with what is wrong about it. */
static int check_setting(const struct conf_source *source, const char *where,
                         const struct setting *setting, struct target *target)
{
    const struct conf_section *section = conf_section_find(setting->section);

    if (section == NULL) {
        (void)conf_fail(source->error, where, "unknown section '%.100s'", setting->section);
        return -EINVAL;
    }
    find_target(source, section, setting, target);
    if (target->option == NULL && target->name.key != NULL)
        return conf_fail(source->error, where, "unknown key '%.100s' in section %s", setting->key,
                         target->name.section->name);
    return check_place(source, where, setting, section);
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

/* A title that nobody named before is named by what stands in it. */
static int add_title(const struct conf_source *source, struct conf_name name,
                     struct conf_origin origin)
{
    name.key = NULL;
    if (name.title == NULL || conf_assignments_newest(source->list, name) != NULL)
        return 0;
    return conf_assignments_add(source->list, name, origin);
}

/* upstream.api.server=10.0.0.1:80,10.0.0.2:80 */
static int add_titles(const struct conf_source *source, struct conf_name name,
                      struct conf_origin origin, const char *value)
{
    struct conf_name outer = {.section = conf_section_find(name.section->parent),
                              .title = name.outer};
    struct conf_list titles = {NULL, 0};
    int rc = add_title(source, outer, origin);

    if (rc == 0)
        rc = conf_list_split(&titles, value, CONF_LIST_WORDS);
    if (rc == 0 && titles.n == 0)
        rc = conf_fail(source->error, origin.where, "there is no %s in '%.100s'",
                       name.section->name, value);
    for (size_t i = 0; rc == 0 && i < titles.n; i++) {
        name.title = titles.items[i];
        rc = conf_assignments_add(source->list, name, origin);
    }
    conf_list_clear(&titles);
    return rc;
}

static int add_value(const struct conf_source *source, const struct target *target,
                     struct conf_origin origin, const char *value)
{
    int rc = check_title(source, origin.where, target->name);

    if (rc == 0)
        rc = add_title(source, target->name, origin);
    if (rc < 0)
        return rc;
    if (target->option->type == CONF_NETWORKS)
        return add_list(source, target->name, origin, value, CONF_LIST_WORDS);
    if (target->option->type == CONF_TEXTS || target->option->type == CONF_URLS)
        return add_list(source, target->name, origin, value, CONF_LIST_TEXTS);
    return conf_assignments_set(source->list, target->name, origin, value);
}

/* Obey the option if it names titles, or if it does not: one of both, as asked for. */
static int add_setting(const struct conf_source *source, const struct conf_override *override,
                       bool naming)
{
    struct conf_origin origin = origin_of(override);
    struct setting setting;
    struct target target;
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
    rc = check_setting(source, origin.where, &setting, &target);
    if (rc < 0 || naming != (target.option == NULL))
        goto out;
    rc = naming ? add_titles(source, target.name, origin, setting.value)
                : add_value(source, &target, origin, setting.value);
out:
    free(text);
    return rc;
}

/* Titles first: a later -o may speak of one that a later -l, or -o, names. */
int conf_source_args(const struct conf_source *source, const struct conf_args *args)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < args->n_overrides; i++) {
        if (args->overrides[i].letter == 'l')
            rc = add_listener(source, &args->overrides[i]);
        else if (args->overrides[i].letter == 'o')
            rc = add_setting(source, &args->overrides[i], true);
    }
    for (size_t i = 0; rc == 0 && i < args->n_overrides; i++) {
        if (args->overrides[i].letter == 'o')
            rc = add_setting(source, &args->overrides[i], false);
        else if (args->overrides[i].letter != 'l')
            rc = add_shortcut(source, &args->overrides[i]);
    }
    return rc;
}
