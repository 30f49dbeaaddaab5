/*
 * One value: from the text that somebody wrote to the typed field that a row
 * of option.h describes, and back to text for the dump.
 */
#ifndef ZOMBIE_CONF_VALUE_H
#define ZOMBIE_CONF_VALUE_H

#include <stdio.h>

#include "conf/option.h"

/* Room for the reason of a refusal. */
#define CONF_WHY_SIZE 256

/* How much of a bad value its refusal quotes. */
#define CONF_QUOTED_MAX 100

/*
 * Read the texts (one, or any number for a list) into the field of `settings`
 * (the section's struct, zeroed before its first use) that `option` describes.
 * A relative CONF_PATH is joined to `folder`, and that to the current directory
 * when it is NULL, empty or relative itself; no symbolic link is resolved. A list of
 * one blank text is the empty list. Returns 0, or -EINVAL with `why` set to a
 * sentence fragment such as "'x' is not yes or no", or -ENOMEM; the field is
 * then as it was.
 */
__attribute__((warn_unused_result)) int conf_value_read(const struct conf_option *option,
                                                        const struct conf_list *texts,
                                                        const char *folder, void *settings,
                                                        char why[CONF_WHY_SIZE]);

/* Print the field so that a file may hold it: "4", { "10.0.0.0/8", "unix" }; a secret masked. */
void conf_value_print(const struct conf_option *option, const void *settings, FILE *out);

/* Print text between double quotes, with libConfuse's escapes where it needs any. */
void conf_text_print(const char *text, FILE *out);

/* Say in `why` what is wrong with a value, as printf(3) would. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int conf_value_refuse(char why[CONF_WHY_SIZE],
                                                            const char *format, ...);

/* The refusal of a text that is none of the NULL-terminated words. Returns -EINVAL. */
int conf_value_refuse_choice(char why[CONF_WHY_SIZE], const char *const *choices, const char *text);

/*
 * Give the fields of a whole section (NULL-key-terminated options, each with a
 * `fallback`) their built-in values. Returns 0 or -ENOMEM; conf_settings_clear()
 * frees them then, too.
 */
__attribute__((warn_unused_result)) int conf_settings_fill(const struct conf_option *options,
                                                           void *settings);

/* Free what the fields of a whole section (NULL-key-terminated options) hold. */
void conf_settings_clear(const struct conf_option *options, void *settings);

#endif
