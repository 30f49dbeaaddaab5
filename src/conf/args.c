#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "conf/args.h"

/* What an option is for. */
enum meaning { MEANS_FILE, MEANS_ENVIRONMENT, MEANS_OVERRIDE, MEANS_ACTION, MEANS_PROBE };

/* The letters of options that have only a long name; the user cannot give them as -C. */
#define LETTER_CHAOS     'C'
#define LETTER_PREFLIGHT 'P'
#define LETTER_PROBE     'H'

static const struct {
    char letter;
    const char *short_name; /* NULL: none */
    const char *long_name;
    int has_value; /* as getopt_long(3) has it */
    enum meaning meaning;
    enum conf_action action;
} options[] = {
    {'c', "-c", "--config", required_argument, MEANS_FILE, CONF_ACTION_RUN},
    {'e', "-e", "--environment", required_argument, MEANS_ENVIRONMENT, CONF_ACTION_RUN},
    {'l', "-l", "--listen", required_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'w', "-w", "--workers", required_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'n', "-n", "--containers", required_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {LETTER_CHAOS, NULL, "--chaos", no_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'o', "-o", "--option", required_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'p', "-p", "--pidfile", required_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'d', "-d", "--daemon", no_argument, MEANS_OVERRIDE, CONF_ACTION_RUN},
    {'t', "-t", "--test", no_argument, MEANS_ACTION, CONF_ACTION_CHECK},
    {'T', "-T", "--dump", no_argument, MEANS_ACTION, CONF_ACTION_DUMP},
    {LETTER_PREFLIGHT, NULL, "--preflight", no_argument, MEANS_ACTION, CONF_ACTION_PREFLIGHT},
    {LETTER_PROBE, NULL, "--healthcheck", optional_argument, MEANS_PROBE, CONF_ACTION_PROBE},
    {'V', "-V", "--version", no_argument, MEANS_ACTION, CONF_ACTION_VERSION},
    {'h', "-h", "--help", no_argument, MEANS_ACTION, CONF_ACTION_HELP},
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

/* '+': stop at the first operand; ':': tell a missing value from an unknown option. */
#define GETOPT_FLAGS "+:"

static const char usage[] =
    "usage: zombie-server [-c FILE [-e NAME]] [-dtTVh] [-l ADDRESS]... [-w N] [-n N]\n"
    "                     [--chaos] [-p FILE] [-o SECTION.KEY=VALUE]...\n"
    "       zombie-server --healthcheck [URL]\n"
    "\n"
    "  -c, --config FILE       read this file; without it, built-in values hold\n"
    "  -e, --environment NAME  read NAME.conf beside FILE over it (or ZOMBIE_ENV=NAME)\n"
    "  -l, --listen ADDRESS    listen on ADDR:PORT, [IPv6]:PORT or unix:/PATH, and only\n"
    "                          there; may be given several times\n"
    "  -w, --workers N         worker processes, or auto: by the CPUs there are\n"
    "  -n, --containers N      containers that share the CPUs of this machine\n"
    "      --chaos             let requests kill workers; for tests\n"
    "  -o, --option S.KEY=VAL  set any value; S.TITLE.KEY=VAL where sections have titles\n"
    "  -p, --pidfile FILE      write the master's process id there\n"
    "  -d, --daemon            go to background\n"
    "  -t, --test              check the configuration and exit\n"
    "  -T, --dump              print the configuration with the origin of each value\n"
    "      --healthcheck [URL] ask a running server whether it is well: exit 0 or 1\n"
    "  -V, --version           print the version and what was built in\n"
    "  -h, --help              print this\n";

const char *conf_args_usage(void)
{
    return usage;
}

void conf_args_list(FILE *out)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        (void)fprintf(out, "%s%s%s\n", options[i].short_name != NULL ? options[i].short_name : "",
                      options[i].short_name != NULL ? " " : "", options[i].long_name);
}

/* The table in the two forms that getopt_long(3) wants. */
struct getopt_tables {
    char letters[sizeof(GETOPT_FLAGS) + 2 * N_OPTIONS];
    struct option names[N_OPTIONS + 1];
};

static void fill_tables(struct getopt_tables *tables)
{
    char *end = stpcpy(tables->letters, GETOPT_FLAGS);

    for (size_t i = 0; i < N_OPTIONS; i++) {
        tables->names[i] = (struct option){.name = options[i].long_name + strlen("--"),
                                           .has_arg = options[i].has_value,
                                           .val = options[i].letter};
        if (options[i].short_name == NULL)
            continue;
        *end++ = options[i].letter;
        if (options[i].has_value == required_argument)
            *end++ = ':';
    }
    *end = '\0';
    tables->names[N_OPTIONS] = (struct option){.name = NULL};
}

static size_t find_option(int letter)
{
    size_t i = 0;

    while (i < N_OPTIONS && options[i].letter != letter)
        i++;
    return i;
}

static int refuse_option(int result, char **argv, char *error, size_t size)
{
    const char *word = argv[optind - 1];
    size_t i = find_option(optopt);

    if (result == ':')
        (void)snprintf(error, size, "option %s needs a value",
                       strncmp(word, "--", 2) == 0 ? word : options[i].short_name);
    else if (strncmp(word, "--", 2) == 0 && optopt != 0 && i < N_OPTIONS)
        (void)snprintf(error, size, "option %s takes no value", options[i].long_name);
    else if (optopt != 0)
        (void)snprintf(error, size, "unknown option '-%c'; see zombie-server -h", optopt);
    else
        (void)snprintf(error, size, "unknown option '%s'; see zombie-server -h", word);
    return -EINVAL;
}

/* Keep a text that may be given once and not be empty. */
static int keep_once(const char **kept, const char *name, const char *value, char *error,
                     size_t size)
{
    if (*kept != NULL) {
        (void)snprintf(error, size, "option %s is given twice", name);
        return -EINVAL;
    }
    if (value[0] == '\0') {
        (void)snprintf(error, size, "option %s needs a value", name);
        return -EINVAL;
    }
    *kept = value;
    return 0;
}

static int add_override(struct conf_args *args, struct conf_override override)
{
    struct conf_override *overrides =
        reallocarray(args->overrides, args->n_overrides + 1, sizeof(*overrides));

    if (overrides == NULL)
        return -ENOMEM;
    args->overrides = overrides;
    args->overrides[args->n_overrides++] = override;
    return 0;
}

/* Its value may follow as a word of its own, which getopt_long(3) leaves to others. */
static int take_probe(struct conf_args *args, int argc, char **argv, char *error, size_t size)
{
    args->action = CONF_ACTION_PROBE;
    if (optarg == NULL && optind < argc && argv[optind][0] != '-')
        optarg = argv[optind++];
    return optarg != NULL ? keep_once(&args->url, "--healthcheck", optarg, error, size) : 0;
}

static int take_option(struct conf_args *args, size_t i, const char *name, char *error, size_t size)
{
    switch (options[i].meaning) {
    case MEANS_FILE:
        return keep_once(&args->file, name, optarg, error, size);
    case MEANS_ENVIRONMENT:
        return keep_once(&args->environment, name, optarg, error, size);
    case MEANS_OVERRIDE:
        return add_override(args, (struct conf_override){name, optarg, options[i].letter});
    case MEANS_ACTION:
        args->action = options[i].action;
        return 0;
    case MEANS_PROBE:
        break; /* take_probe() */
    }
    return -EINVAL;
}

int conf_args_parse(int argc, char **argv, struct conf_args *ret_args, char *error, size_t size)
{
    struct conf_args args = {.action = CONF_ACTION_RUN};
    struct getopt_tables tables;
    int long_index = -1, letter, rc = 0;

    fill_tables(&tables);
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    while (rc == 0 &&
           (letter = getopt_long(argc, argv, tables.letters, tables.names, &long_index)) != -1) {
        size_t i = find_option(letter);

        if (i == N_OPTIONS)
            rc = refuse_option(letter, argv, error, size);
        else if (options[i].meaning == MEANS_PROBE)
            rc = take_probe(&args, argc, argv, error, size);
        else
            rc = take_option(&args, i,
                             long_index >= 0 ? options[i].long_name : options[i].short_name, error,
                             size);
        long_index = -1;
    }
    if (rc == 0 && optind < argc) {
        (void)snprintf(error, size, "unexpected argument '%s'; see zombie-server -h", argv[optind]);
        rc = -EINVAL;
    }
    if (rc < 0) {
        conf_args_clear(&args);
        return rc;
    }
    *ret_args = args;
    return 0;
}

void conf_args_clear(struct conf_args *args)
{
    free(args->overrides);
    *args = (struct conf_args){.action = CONF_ACTION_RUN};
}
