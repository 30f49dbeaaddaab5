/* From the command line to the daemon or the one that asks it: a table of contents. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "conf/conf.h"
#include "conf/load.h"
#include "conf/version.h"
#include "distributor/arguments.h"
#include "distributor/ask.h"
#include "distributor/run.h"
#include "host/descriptors.h"
#include "worker/handlers.h"

/* No program name before it: "FILE:LINE: what" is what editors can jump to. */
static int fail(int status, const char *error)
{
    fprintf(stderr, "%s\n", error);
    return status;
}

static int act(const struct distributor_arguments *arguments, struct conf *conf)
{
    int status = 0;
    if (!arguments->asks && arguments->conf.action == CONF_ACTION_RUN)
        return run_distributor(&arguments->conf, conf);
    if (arguments->asks)
        status = ask_status(conf, arguments->json);
    else
        puts("zombie-distributor: the configuration is valid");
    conf_free(conf);
    return status;
}

static int load_and_act(const struct distributor_arguments *arguments)
{
    char error[CONF_ERROR_SIZE];
    struct conf *conf;
    int err = conf_load(&arguments->conf, handlers_conf, &conf, error);
    if (err != 0)
        return fail(err == -ENOMEM ? EX_OSERR : EX_CONFIG, error);
    return act(arguments, conf);
}

int main(int argc, char **argv)
{
    char error[CONF_ERROR_SIZE];
    struct distributor_arguments arguments;
    int status = 0;
    descriptors_fill_standard();
    int err = distributor_arguments_parse(argc, argv, &arguments, error, sizeof error);
    if (err != 0)
        return fail(err == -ENOMEM ? EX_OSERR : EX_USAGE,
                    err == -ENOMEM ? "no memory for the command line" : error);
    if (arguments.conf.action == CONF_ACTION_HELP)
        fputs(distributor_arguments_usage(), stdout);
    else if (arguments.conf.action == CONF_ACTION_VERSION)
        version_print(stdout, "zombie-distributor");
    else
        status = load_and_act(&arguments);
    distributor_arguments_clear(&arguments);
    return status;
}
