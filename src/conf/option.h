/*
 * Options are rows: section, key, type, where the value goes, what it may be.
 * The parser, the environment, the command line, the dump, the manual's check
 * and the sample file's check all read the same rows.
 */
#ifndef ZOMBIE_CONF_OPTION_H
#define ZOMBIE_CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum conf_type {
    CONF_BOOL,     /* bool: yes/no, true/false, on/off */
    CONF_NUMBER,   /* long in min..max */
    CONF_WORKERS,  /* long in min..max, or "auto" as 0 */
    CONF_OCTAL,    /* long in min..max, written in octal */
    CONF_SIZE,     /* long in min..max bytes, with or without K, M or G; -1: the word choices[0] */
    CONF_SIGNAL,   /* long: a signal that ends a process, written as name or number */
    CONF_CHOICE,   /* int: index into choices */
    CONF_TEXT,     /* char *, allocated; min..max bytes */
    CONF_PATH,     /* char *, allocated; "", one of choices, or absolute after load */
    CONF_SECRET,   /* char *, allocated; "" or min..max bytes; dumped as "********" */
    CONF_NETWORKS, /* struct conf_list of CIDR texts */
    CONF_TEXTS,    /* struct conf_list of texts of min..max bytes */
    CONF_FIELDS,   /* struct conf_list of header fields, "Name: value" (RFC 9110 section 5) */
    CONF_WORDS,    /* unsigned: bit 1 << i for each word choices[i]; the word "off" is none */
    CONF_URLS,     /* as CONF_TEXTS; dumped and quoted without user names and passwords */
    CONF_SPAN,     /* long[2]: both ends, in min..max, of "LOW..HIGH" or of a single number */
};

/* A list of texts, allocated. */
struct conf_list {
    char **items;
    size_t n;
};

struct conf;

struct conf_option {
    const char *key;
    enum conf_type type;
    size_t offset; /* of the value in the section's struct */
    long min;
    long max;
    const char *const *choices; /* CONF_CHOICE, CONF_PATH, CONF_SIZE, CONF_WORDS: NULL-terminated */
    const char *fallback;       /* the built-in default, as a file would say it; NULL: required */
    const char *help;           /* one line, for conf_dump() */
};

/*
 * What a handler tells the configuration about itself, so that the keys of
 * `route "PATTERN" { handler = NAME ... }` are checked without conf knowing
 * any handler. Constant, owned by the handler's file.
 */
struct conf_handler {
    const char *name;
    const char *methods; /* that it takes, as in Allow (RFC 9110 section 10.2.1): "GET, HEAD" */
    bool opens_files;    /* needs a descriptor for a connection besides the socket */
    const struct conf_option *options; /* NULL-key-terminated, offsets into the settings */
    size_t settings_size;
    /*
     * Whether the settings of one route make sense together; NULL: always.
     * Returns NULL, or the reason why not, as "KEY: what is wrong": a constant.
     */
    const char *(*check)(const void *settings);
    /*
     * Settle what the settings of one route refer to elsewhere, such as an
     * upstream (conf/upstream.h), once all sections are read; NULL: nothing.
     * Returns 0, or -EINVAL with `why` (CONF_WHY_SIZE bytes) set to "KEY: what is
     * wrong", or -ENOMEM.
     */
    int (*resolve)(struct conf *conf, void *settings, char *why);
};

/*
 * A section of the file. `titled` ones (`listen "..."`, `route "..."`) may
 * stand several times, each title once. One with a parent stands within each
 * section of that name, which is titled and has no parent itself:
 * `upstream "a" { server "..." { } check { } }`.
 */
struct conf_section {
    const char *name;   /* like no other, wherever that stands */
    const char *parent; /* NULL: it stands in the file */
    bool titled;
    bool replaces; /* a source that names a title replaces all titles of those before it */
    size_t
        offset; /* of the section's struct in struct conf, or in its parent's; unused if titled */
    const struct conf_option *options; /* NULL-key-terminated */
    const char *selector; /* the key that chooses a handler and so further keys, or NULL */
};

/* All sections, NULL-name-terminated; `route` has only the keys of all routes here. */
extern const struct conf_section conf_sections[];

/* Whether a file gives values of the type as a list: { one, two }. */
bool conf_type_is_list(enum conf_type type);

/*
 * Print each "section.key" on a line of its own, the keys of all handlers as
 * keys of route, so that a test can compare the tables with the manual and the
 * sample file.
 */
void conf_options_list(FILE *out, const struct conf_handler *const *handlers);

#endif
