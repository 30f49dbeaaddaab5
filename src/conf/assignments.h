/*
 * What was said, where, by whom: the list that every source of configuration
 * adds to, lowest layer first, and the rules by which one assignment wins.
 */
#ifndef ZOMBIE_CONF_ASSIGNMENTS_H
#define ZOMBIE_CONF_ASSIGNMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/option.h"

enum conf_layer {
    CONF_LAYER_BUILTIN,
    CONF_LAYER_FILE,
    CONF_LAYER_OVERLAY,
    CONF_LAYER_ENVIRONMENT,
    CONF_LAYER_COMMAND_LINE,
};

/* Which setting: `listen "127.0.0.1:80" { backlog ...`. All texts are borrowed. */
struct conf_name {
    const struct conf_section *section;
    const char *title; /* NULL: the section has none */
    const char *key;   /* NULL: the section with this title itself */
    const char *outer; /* the title of the parent that it stands in; NULL: it stands in the file */
};

/* Room for conf_name_format(). */
#define CONF_NAME_SIZE 256

struct conf_origin {
    enum conf_layer layer;
    const char *where;  /* "FILE:LINE", "ZOMBIE_WORKERS", "-w", "built-in" */
    const char *folder; /* where relative paths start; NULL or "": the current directory */
};

/* One assignment; one whose name has no key says only that the title exists. */
struct conf_assignment {
    struct conf_name name;
    struct conf_origin origin;
    struct conf_list values; /* one text; any number for a list; none without a key */
};

struct conf_assignments {
    struct conf_assignment *items;
    size_t n;
    size_t size;
};

/*
 * Write the name as messages have it, cut to fit: `instance.workers`,
 * `listen "::": mode`, `upstream "a": check.rise`.
 */
void conf_name_format(struct conf_name name, char buf[CONF_NAME_SIZE]);

/* Whether both name the same key of the same section and title. */
bool conf_name_equal(const struct conf_name *a, const struct conf_name *b);

/* Add an assignment without values; texts are copied. Layers never go down. 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int conf_assignments_add(struct conf_assignments *list,
                                                             struct conf_name name,
                                                             struct conf_origin origin);

/* Give the newest assignment one more value, a copy of text. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int conf_assignments_add_value(struct conf_assignments *list,
                                                                   const char *text);

/* Add an assignment with one value. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int conf_assignments_set(struct conf_assignments *list,
                                                             struct conf_name name,
                                                             struct conf_origin origin,
                                                             const char *text);

/* The assignment of exactly this name in that layer, or NULL. */
const struct conf_assignment *conf_assignments_find_in(const struct conf_assignments *list,
                                                       struct conf_name name,
                                                       enum conf_layer layer);

/* The assignment of exactly this name that was added last, or NULL. */
const struct conf_assignment *conf_assignments_newest(const struct conf_assignments *list,
                                                      struct conf_name name);

/*
 * The assignment that decides the value, or NULL when the built-in one of the
 * option's row counts. The newest one wins; but when a layer chose another
 * handler for a route, what lower layers said about that route is void.
 */
const struct conf_assignment *conf_assignments_winner(const struct conf_assignments *list,
                                                      struct conf_name name);

/* Whether nobody but the program itself has named this title. */
bool conf_assignments_are_built_in(const struct conf_assignments *list, struct conf_name title);

/* The lowest layer that counts for this title: see conf_assignments_winner(). */
enum conf_layer conf_assignments_floor(const struct conf_assignments *list, struct conf_name name);

/*
 * The highest layer that names a title of this section, within the same parent:
 * the titles of a section that `replaces` are those of this layer.
 */
enum conf_layer conf_assignments_naming_layer(const struct conf_assignments *list,
                                              struct conf_name any);

/* Whether the title counts: it is named, and no higher layer replaces it; see above. */
bool conf_assignments_have(const struct conf_assignments *list, struct conf_name title);

/*
 * Give the section that the item at `index` names another title, and with it
 * all assignments to it; `where` becomes the origin of the naming one.
 * Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int conf_assignments_rename(struct conf_assignments *list,
                                                                size_t index, const char *title,
                                                                const char *where);

/* Free the list; NULL is fine. */
void conf_assignments_free(struct conf_assignments *list);

#endif
