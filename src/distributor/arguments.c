#include "config.h"

#include "distributor/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* The letter of the option that has only a long name. */
#define LETTER_JSON 'J'

static const struct option names[] = {
    {"config", required_argument, NULL, 'c'},
    {"environment", required_argument, NULL, 'e'},
    {"option", required_argument, NULL, 'o'},
    {"pidfile", required_argument, NULL, 'p'},
    {"daemon", no_argument, NULL, 'd'},
    {"test", no_argument, NULL, 't'},
    {"status", no_argument, NULL, 's'},
    {"json", no_argument, NULL, LETTER_JSON},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* '+': stop at the first operand; ':': tell a missing value from an unknown option. */
static const char letters[] = "+:c:e:o:p:dtsVh";

static const char usage[] =
    "usage: zombie-distributor [-c FILE [-e NAME]] [-dt] [-p FILE] [-o SECTION.KEY=VALUE]...\n"
    "       zombie-distributor --status [--json] [-c FILE] [-o SECTION.KEY=VALUE]...\n"
    "\n"
    "  -c, --config FILE       read this file; without it, built-in values hold\n"
    "  -e, --environment NAME  read NAME.conf beside FILE over it (or ZOMBIE_ENV=NAME)\n"
    "  -o, --option S.KEY=VAL  set any value, such as distributor.listen=10.0.0.1:9000\n"
    "  -p, --pidfile FILE      write the process id there\n"
    "  -d, --daemon            go to background\n"
    "  -t, --test              check the configuration and exit\n"
    "  -s, --status            ask a running distributor who is there\n"
    "      --json              answer in JSON\n"
    "  -V, --version           print the version and what was built in\n"
    "  -h, --help              print this\n";

const char *distributor_arguments_usage(void)
{
    return usage;
}

static const char *long_name(int letter)
{
    size_t i = 0;
    while (names[i].name != NULL && names[i].val != letter)
        i++;
    return names[i].name;
}

static int refuse(int result, char **argv, char *error, size_t size)
{
    const char *name = optopt != 0 ? long_name(optopt) : NULL;
    if (result == ':' && name != NULL)
        snprintf(error, size, "option --%s needs a value", name);
    else if (name != NULL)
        snprintf(error, size, "option --%s takes no value", name);
    else
        snprintf(error, size, "unknown option '%s'; see zombie-distributor -h", argv[optind - 1]);
    return -EINVAL;
}

static int keep_once(const char **kept, int letter, char *error, size_t size)
{
    if (*kept != NULL || optarg[0] == '\0') {
        snprintf(error, size, "option --%s %s", long_name(letter),
                 *kept != NULL ? "is given twice" : "needs a value");
        return -EINVAL;
    }
    *kept = optarg;
    return 0;
}

static int add_override(struct conf_args *args, int letter)
{
    static const struct {
        int letter;
        const char *option;
    } options[] = {{'o', "-o"}, {'p', "-p"}, {'d', "-d"}};
    struct conf_override *overrides =
        reallocarray(args->overrides, args->n_overrides + 1, sizeof *overrides);
    size_t i = 0;
    if (overrides == NULL)
        return -ENOMEM;
    while (options[i].letter != letter)
        i++;
    args->overrides = overrides;
    overrides[args->n_overrides++] =
        (struct conf_override){options[i].option, optarg, (char)letter};
    return 0;
}

static int take(struct distributor_arguments *arguments, int letter, char **argv, char *error,
                size_t size)
{
    switch (letter) {
    case 'c':
        return keep_once(&arguments->conf.file, letter, error, size);
    case 'e':
        return keep_once(&arguments->conf.environment, letter, error, size);
    case 'o':
    case 'p':
    case 'd':
        return add_override(&arguments->conf, letter);
    case 't':
        arguments->conf.action = CONF_ACTION_CHECK;
        return 0;
    case 'V':
        arguments->conf.action = CONF_ACTION_VERSION;
        return 0;
    case 'h':
        arguments->conf.action = CONF_ACTION_HELP;
        return 0;
    case 's':
        arguments->asks = true;
        return 0;
    case LETTER_JSON:
        arguments->json = true;
        return 0;
    default:
        return refuse(letter, argv, error, size);
    }
}

int distributor_arguments_parse(int argc, char **argv, struct distributor_arguments *ret_arguments,
                                char *error, size_t size)
{
    struct distributor_arguments arguments = {.conf = {.action = CONF_ACTION_RUN}};
    int letter, err = 0;
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    while (err == 0 && (letter = getopt_long(argc, argv, letters, names, NULL)) != -1)
        err = take(&arguments, letter, argv, error, size);
    if (err == 0 && optind < argc) {
        snprintf(error, size, "unexpected argument '%s'; see zombie-distributor -h", argv[optind]);
        err = -EINVAL;
    }
    if (err == 0 && arguments.json && !arguments.asks) {
        snprintf(error, size, "option --json needs --status");
        err = -EINVAL;
    }
    if (err != 0) {
        distributor_arguments_clear(&arguments);
        return err;
    }
    *ret_arguments = arguments;
    return 0;
}

void distributor_arguments_clear(struct distributor_arguments *arguments)
{
    conf_args_clear(&arguments->conf);
}
