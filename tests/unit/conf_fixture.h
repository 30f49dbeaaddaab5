/*
 * What the tests of the configuration share: a new folder for each test, rows
 * of files, environment and command line, and what is expected of loading them.
 */
#ifndef ZOMBIE_TESTS_CONF_FIXTURE_H
#define ZOMBIE_TESTS_CONF_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/load.h"

#define FIXTURE_MAX_WORDS 8

/* In texts of a row, '@' stands for the row's folder. */
struct conf_row {
    const char *base;    /* a.conf, given as -c; NULL: no -c */
    const char *overlay; /* over.conf, given as -e over */
    const char *other;   /* other.conf */
    const char *env[4];  /* "NAME=value" */
    const char *words[FIXTURE_MAX_WORDS];
    const char *error;    /* the message, whole or up to a last '*'; NULL: loads */
    const char *lines[8]; /* of the dump: the key's line, behind its section's name */
};

/* A text among the settings of a route, by its key. */
const char *fixture_setting(const struct conf_route *route, const char *key);

/* The folder of this test, in which a row's files are. */
const char *fixture_folder(void);

/* Around each test: a folder, and no variable of ours in the environment. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_clear_environment(void);

/* Write a file of that name into the folder. */
void fixture_put_bytes(const char *name, const void *bytes, size_t size);
void fixture_put(const char *name, const char *content);

/* Load with these words on the command line; a NULL ends them. */
int fixture_load(char *const *words, struct conf **ret_conf, char error[CONF_ERROR_SIZE]);

/* Load only the file of that name in the folder. */
int fixture_load_file(const char *name, struct conf **ret_conf, char error[CONF_ERROR_SIZE]);

/* conf_dump(), allocated. */
char *fixture_dump(const struct conf *conf);

/* The dump without help, each key's line behind the first words of its sections. Allocated. */
char *fixture_flat_dump(const struct conf *conf);

/* Whether a text has exactly this line. */
bool fixture_has_line(const char *flat, const char *line);

/* Put the row's files, set its environment, load it and compare. */
void fixture_run(const struct conf_row *row);

#define RUN_ROWS(rows)                                                                    \
    for (size_t row_index = 0; row_index < sizeof(rows) / sizeof((rows)[0]); row_index++) \
    fixture_run(&(rows)[row_index])

#endif
