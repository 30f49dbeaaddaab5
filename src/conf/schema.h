/*
 * Questions about the tables of option.h: which section, which key, and what
 * somebody may have meant who wrote an unknown one.
 */
#ifndef ZOMBIE_CONF_SCHEMA_H
#define ZOMBIE_CONF_SCHEMA_H

#include <stddef.h>

#include "conf/option.h"

/* The section of that name, wherever it stands, or NULL. */
const struct conf_section *conf_section_find(const char *name);

/* The n-th section (from 0) that stands within `parent`; NULL past the last one. */
const struct conf_section *conf_section_child(const struct conf_section *parent, size_t n);

/* The row of that key in a NULL-key-terminated table, or NULL. A NULL table has no rows. */
const struct conf_option *conf_option_find(const struct conf_option *options, const char *key);

/* The handler of that name in a NULL-terminated list, or NULL. */
const struct conf_handler *conf_handler_find(const struct conf_handler *const *handlers,
                                             const char *name);

/*
 * The n-th key (from 0) that may stand in the section: its own rows and, where
 * a selector chooses a handler, the rows of all handlers, each key once.
 * Returns NULL past the last one.
 */
const struct conf_option *conf_section_key(const struct conf_section *section,
                                           const struct conf_handler *const *handlers, size_t n);

/* The row of `key` among those of conf_section_key(), or NULL. */
const struct conf_option *conf_section_find_key(const struct conf_section *section,
                                                const struct conf_handler *const *handlers,
                                                const char *key);

/* The key or section within it that is spelled most like `key`, or NULL when none is near. */
const char *conf_section_suggest_key(const struct conf_section *section,
                                     const struct conf_handler *const *handlers, const char *key);

/* Whether `methods`, a list as in Allow ("GET, HEAD"), has this method. */
bool conf_methods_have(const char *methods, const char *method);

/* The section of the file whose name is spelled most like `name`, or NULL when none is near. */
const char *conf_section_suggest(const char *name);

#endif
