/*
 * The command line, taken apart but not judged: what it means for the
 * configuration is conf_load()'s business.
 */
#ifndef ZOMBIE_CONF_ARGS_H
#define ZOMBIE_CONF_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum conf_action {
    CONF_ACTION_RUN,
    CONF_ACTION_CHECK,     /* -t */
    CONF_ACTION_DUMP,      /* -T */
    CONF_ACTION_PREFLIGHT, /* --preflight: not for people, so not in the usage */
    CONF_ACTION_VERSION,   /* -V */
    CONF_ACTION_HELP,      /* -h */
    CONF_ACTION_PROBE,     /* --healthcheck */
};

/* One option that sets a value: "-w" "4", "-o" "log.level=debug". Texts point into argv. */
struct conf_override {
    const char *option; /* as the user wrote it: "-w", "--workers" */
    const char *value;  /* NULL for switches such as --chaos */
    char letter;        /* which option it is, whatever its spelling */
};

struct conf_args {
    enum conf_action action;
    const char *file;        /* NULL: built-in defaults only */
    const char *environment; /* -e, or NULL: then ZOMBIE_ENV counts */
    const char *url;         /* of --healthcheck, or NULL: what the configuration suggests */
    bool file_only;          /* nothing is read over the file: it is what conf_save() wrote */
    struct conf_override *overrides;
    size_t n_overrides;
};

/*
 * Take argv apart (getopt_long(3)); argv must outlive *ret_args. Returns 0, or
 * -EINVAL with `error` (size bytes) set to what is wrong and what to do, or
 * -ENOMEM. Free the result with conf_args_clear().
 */
__attribute__((warn_unused_result)) int
conf_args_parse(int argc, char **argv, struct conf_args *ret_args, char *error, size_t size);

/* Free what conf_args_parse() allocated; the struct may be parsed into again. */
void conf_args_clear(struct conf_args *args);

/* The text of -h: a constant, one line an option. */
const char *conf_args_usage(void);

/* Print each option as "-c --config" on a line of its own, for the test of the manual. */
void conf_args_list(FILE *out);

#endif
