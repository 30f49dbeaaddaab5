#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/assignments.h"
#include "conf/list.h"

#define GROWTH 64

/* How much of a title a message quotes; a route's pattern may be long. */
#define QUOTED_MAX 120

void conf_name_format(struct conf_name name, char buf[CONF_NAME_SIZE])
{
    int used = 0;

    if (name.outer != NULL)
        used = snprintf(buf, CONF_NAME_SIZE, "%s \"%.64s\": ", name.section->parent, name.outer);
    buf += used;
    size_t size = CONF_NAME_SIZE - (size_t)used;
    if (name.title == NULL)
        (void)snprintf(buf, size, "%s.%.100s", name.section->name, name.key);
    else
        (void)snprintf(buf, size, "%s \"%.*s\"%s%.100s", name.section->name, QUOTED_MAX, name.title,
                       name.key != NULL ? ": " : "", name.key != NULL ? name.key : "");
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_section(const struct conf_name *a, const struct conf_name *b)
{
    return a->section == b->section && same_text(a->title, b->title) &&
           same_text(a->outer, b->outer);
}

bool conf_name_equal(const struct conf_name *a, const struct conf_name *b)
{
    return same_section(a, b) && same_text(a->key, b->key);
}

/* Copy a text that may be NULL. Returns 0 or -ENOMEM. */
static int copy_text(const char **ret_copy, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL)
        return -ENOMEM;
    *ret_copy = copy;
    return 0;
}

/* The list owns the texts that its items show as const to everybody else. */
static void assignment_clear(struct conf_assignment *item)
{
    free((char *)item->name.title);
    free((char *)item->name.key);
    free((char *)item->name.outer);
    free((char *)item->origin.where);
    free((char *)item->origin.folder);
    conf_list_clear(&item->values);
}

static int make_room(struct conf_assignments *list)
{
    struct conf_assignment *items;

    if (list->n < list->size)
        return 0;
    items = reallocarray(list->items, list->size + GROWTH, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    list->size += GROWTH;
    return 0;
}

int conf_assignments_add(struct conf_assignments *list, struct conf_name name,
                         struct conf_origin origin)
{
    struct conf_assignment item = {.name.section = name.section, .origin.layer = origin.layer};

    if (make_room(list) < 0 || copy_text(&item.name.title, name.title) < 0 ||
        copy_text(&item.name.key, name.key) < 0 || copy_text(&item.name.outer, name.outer) < 0 ||
        copy_text(&item.origin.where, origin.where) < 0 ||
        copy_text(&item.origin.folder, origin.folder) < 0) {
        assignment_clear(&item);
        return -ENOMEM;
    }
    list->items[list->n++] = item;
    return 0;
}

int conf_assignments_add_value(struct conf_assignments *list, const char *text)
{
    return conf_list_add(&list->items[list->n - 1].values, text, strlen(text));
}

int conf_assignments_set(struct conf_assignments *list, struct conf_name name,
                         struct conf_origin origin, const char *text)
{
    int rc = conf_assignments_add(list, name, origin);

    return rc < 0 ? rc : conf_assignments_add_value(list, text);
}

const struct conf_assignment *conf_assignments_find_in(const struct conf_assignments *list,
                                                       struct conf_name name, enum conf_layer layer)
{
    for (size_t i = list->n; i-- > 0;)
        if (list->items[i].origin.layer == layer && conf_name_equal(&list->items[i].name, &name))
            return &list->items[i];
    return NULL;
}

const struct conf_assignment *conf_assignments_newest(const struct conf_assignments *list,
                                                      struct conf_name name)
{
    for (size_t i = list->n; i-- > 0;)
        if (conf_name_equal(&list->items[i].name, &name))
            return &list->items[i];
    return NULL;
}

/* Walk down from the newest choice of a handler for as long as all agree with it. */
bool conf_assignments_are_built_in(const struct conf_assignments *list, struct conf_name title)
{
    const struct conf_assignment *naming;

    title.key = NULL;
    naming = conf_assignments_newest(list, title);
    return naming != NULL && naming->origin.layer == CONF_LAYER_BUILTIN;
}

enum conf_layer conf_assignments_floor(const struct conf_assignments *list, struct conf_name name)
{
    struct conf_name selector = {
        .section = name.section, .title = name.title, .key = name.section->selector};
    const struct conf_assignment *chosen;
    enum conf_layer floor;

    chosen = selector.key != NULL ? conf_assignments_newest(list, selector) : NULL;
    if (chosen == NULL)
        return CONF_LAYER_BUILTIN;

    floor = chosen->origin.layer;
    for (const struct conf_assignment *item = chosen; item-- > list->items;) {
        if (!conf_name_equal(&item->name, &selector))
            continue;
        if (strcmp(item->values.items[0], chosen->values.items[0]) != 0)
            return floor;
        floor = item->origin.layer;
    }
    return CONF_LAYER_BUILTIN;
}

const struct conf_assignment *conf_assignments_winner(const struct conf_assignments *list,
                                                      struct conf_name name)
{
    const struct conf_assignment *winner = conf_assignments_newest(list, name);

    if (winner == NULL || winner->origin.layer < conf_assignments_floor(list, name))
        return NULL;
    return winner;
}

enum conf_layer conf_assignments_naming_layer(const struct conf_assignments *list,
                                              struct conf_name any)
{
    for (size_t i = list->n; i-- > 0;) {
        const struct conf_name *name = &list->items[i].name;

        if (name->section == any.section && name->key == NULL && same_text(name->outer, any.outer))
            return list->items[i].origin.layer;
    }
    return CONF_LAYER_BUILTIN;
}

bool conf_assignments_have(const struct conf_assignments *list, struct conf_name title)
{
    title.key = NULL;
    if (!title.section->replaces)
        return conf_assignments_newest(list, title) != NULL;
    return conf_assignments_find_in(list, title, conf_assignments_naming_layer(list, title)) !=
           NULL;
}

static int replace_text(const char **text, const char *with)
{
    const char *copy;

    if (copy_text(&copy, with) < 0)
        return -ENOMEM;
    free((char *)*text);
    *text = copy;
    return 0;
}

int conf_assignments_rename(struct conf_assignments *list, size_t index, const char *title,
                            const char *where)
{
    struct conf_name old = list->items[index].name;
    char *old_title = strdup(old.title);
    int rc = old_title != NULL ? 0 : -ENOMEM;

    old.title = old_title;
    for (size_t i = 0; rc == 0 && i < list->n; i++)
        if (i == index ||
            (list->items[i].name.key != NULL && same_section(&list->items[i].name, &old)))
            rc = replace_text(&list->items[i].name.title, title);
    if (rc == 0)
        rc = replace_text(&list->items[index].origin.where, where);
    free(old_title);
    return rc;
}

void conf_assignments_free(struct conf_assignments *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++)
        assignment_clear(&list->items[i]);
    free(list->items);
    free(list);
}
