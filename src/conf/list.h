/*
 * Lists of texts (struct conf_list of option.h): how they grow and go.
 */
#ifndef ZOMBIE_CONF_LIST_H
#define ZOMBIE_CONF_LIST_H

#include <stddef.h>

#include "conf/option.h"

/* Add a copy of the first `len` bytes of text. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int conf_list_add(struct conf_list *list, const char *text,
                                                      size_t len);

/* What parts words from each other, and what parts texts that may have blanks within. */
#define CONF_LIST_WORDS ", \t\r\n"
#define CONF_LIST_TEXTS ",\r\n"

/*
 * Add each item of a text that any of `separators` parts, without the blanks
 * around it; empty ones are none. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int conf_list_split(struct conf_list *list, const char *text,
                                                        const char *separators);

/* Free the items; the list is empty then. */
void conf_list_clear(struct conf_list *list);

#endif
