#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/resolve.h"
#include "conf/routes.h"
#include "conf/schema.h"
#include "conf/upstreams.h"
#include "conf/value.h"

const char *conf_resolve_place(const struct conf_assignments *list, struct conf_name name)
{
    const struct conf_assignment *naming;

    name.key = NULL;
    naming = conf_assignments_newest(list, name);
    return naming != NULL ? naming->origin.where : NULL;
}

static int read_value(const struct conf_source *source, const struct conf_assignment *item,
                      const struct conf_option *option, void *settings)
{
    char text[CONF_NAME_SIZE], why[CONF_WHY_SIZE];
    int rc = conf_value_read(option, &item->values, item->origin.folder, settings, why);

    if (rc != -EINVAL)
        return rc;
    conf_name_format(item->name, text);
    return conf_fail(source->error, item->origin.where, "%s: %s", text, why);
}

/*
 * Read whatever any layer says, not only what holds in the end: a value that
 * makes no sense is an error even where a higher layer has another one.
 */
static int read_all_values(const struct conf_source *source, const struct conf_name *name,
                           const struct conf_option *option, void *settings)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->list->n; i++) {
        const struct conf_assignment *item = &source->list->items[i];

        if (conf_name_equal(&item->name, name))
            rc = read_value(source, item, option, settings);
    }
    return rc;
}

static int read_option(const struct conf_source *source, struct conf_name name,
                       const struct conf_option *option, void *settings)
{
    char *fallback = (char *)option->fallback;
    struct conf_assignment built_in = {.origin.where = "built-in", .values = {&fallback, 1}};
    const struct conf_assignment *winner;
    char text[CONF_NAME_SIZE];
    int rc;

    name.key = option->key;
    built_in.name = name;
    rc = read_all_values(source, &name, option, settings);
    if (rc < 0)
        return rc;
    winner = conf_assignments_winner(source->list, name);
    if (winner == NULL && fallback == NULL) {
        conf_name_format(name, text);
        return conf_fail(source->error, conf_resolve_place(source->list, name), "%s is missing",
                         text);
    }
    return read_value(source, winner != NULL ? winner : &built_in, option, settings);
}

int conf_resolve_options(const struct conf_source *source, struct conf_name name,
                         const struct conf_option *options, void *settings)
{
    int rc = 0;

    for (const struct conf_option *option = options;
         rc == 0 && option != NULL && option->key != NULL; option++)
        rc = read_option(source, name, option, settings);
    return rc;
}

static int resolve_section(const struct conf_source *source, const struct conf_section *section,
                           struct conf *conf)
{
    struct conf_name name = {.section = section};

    return conf_resolve_options(source, name, section->options, (char *)conf + section->offset);
}

/* Read the listener that `item` names into one that has its title; half full after a failure. */
static int read_listen(const struct conf_source *source, const struct conf_assignment *item,
                       struct conf_listen *listen)
{
    const char *why;

    if (address_parse(listen->title, &listen->address, &why) < 0)
        return conf_fail(source->error, item->origin.where, "listen \"%.200s\": %s", listen->title,
                         why);
    return conf_resolve_options(source, item->name, item->name.section->options, listen);
}

static int add_listen(const struct conf_source *source, const struct conf_assignment *item,
                      struct conf *conf)
{
    struct conf_listen *listens =
        reallocarray(conf->listens, conf->n_listens + 1, sizeof(*listens));

    if (listens == NULL)
        return -ENOMEM;
    conf->listens = listens;
    listens += conf->n_listens++;
    *listens = (struct conf_listen){.title = strdup(item->name.title)};
    if (listens->title == NULL)
        return -ENOMEM;
    return read_listen(source, item, listens);
}

/* A listener that a higher layer replaces must make sense all the same. */
static int check_listen(const struct conf_source *source, const struct conf_assignment *item)
{
    struct conf_listen listen = {.title = (char *)item->name.title};
    int rc = read_listen(source, item, &listen);

    conf_settings_clear(item->name.section->options, &listen);
    return rc;
}

static int resolve_listens(const struct conf_source *source, const struct conf_section *section,
                           struct conf *conf)
{
    enum conf_layer layer =
        conf_assignments_naming_layer(source->list, (struct conf_name){.section = section});
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->list->n; i++) {
        const struct conf_assignment *item = &source->list->items[i];

        if (item->name.section != section || item->name.key != NULL)
            continue;
        rc = item->origin.layer == layer ? add_listen(source, item, conf)
                                         : check_listen(source, item);
    }
    return rc;
}

/* Sections of the file that may stand several times: each becomes a list of its own kind. */
static const struct {
    const char *name;
    int (*resolve)(const struct conf_source *source, const struct conf_section *section,
                   struct conf *conf);
} lists[] = {
    {"listen", resolve_listens},
    {"upstream", conf_resolve_upstreams},
    {"route", conf_resolve_routes},
};

static int resolve_any(const struct conf_source *source, const struct conf_section *section,
                       struct conf *conf)
{
    if (section->parent != NULL)
        return 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strcmp(lists[i].name, section->name) == 0)
            return lists[i].resolve(source, section, conf);
    return resolve_section(source, section, conf);
}

int conf_resolve(const struct conf_source *source, struct conf *conf)
{
    int rc = 0;

    for (const struct conf_section *section = conf_sections; rc == 0 && section->name != NULL;
         section++)
        rc = resolve_any(source, section, conf);
    return rc < 0 ? rc : conf_resolve_references(source, conf);
}
