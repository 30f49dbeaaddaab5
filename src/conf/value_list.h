/*
 * Values that are lists: how each item is checked, and how the whole is read,
 * printed and freed.
 */
#ifndef ZOMBIE_CONF_VALUE_LIST_H
#define ZOMBIE_CONF_VALUE_LIST_H

#include <stdio.h>

#include "conf/option.h"
#include "conf/value.h"

/*
 * Read the texts, each checked as the type of `option` says, into `field`; one
 * blank text is the empty list. Returns 0, or -EINVAL with `why` set, or
 * -ENOMEM; the field is then as it was.
 */
__attribute__((warn_unused_result)) int conf_list_read(const struct conf_option *option,
                                                       const struct conf_list *texts,
                                                       struct conf_list *field,
                                                       char why[CONF_WHY_SIZE]);

/* Print the struct conf_list at `field` as a file would say it: { "a", "b" }. */
void conf_list_print(const struct conf_option *option, const void *field, FILE *out);

/* The same for URLs (CONF_URLS), each without its user name and password. */
void conf_urls_print(const struct conf_option *option, const void *field, FILE *out);

/*
 * The same for words of choices, as bits (CONF_WORDS); a text may hold several
 * words, parted by blanks or commas. The word "off" alone is none.
 */
__attribute__((warn_unused_result)) int conf_words_read(const struct conf_option *option,
                                                        const struct conf_list *texts,
                                                        unsigned *field, char why[CONF_WHY_SIZE]);

/* Print the words at `field` as a file would say them. */
void conf_words_print(const struct conf_option *option, const void *field, FILE *out);

/* conf_list_clear() for a table of types. */
void conf_list_field_clear(void *field);

#endif
