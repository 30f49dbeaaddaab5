/* From argv to the configuration to the master: a table of contents. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "cluster/launch.h"
#include "cluster/master.h"
#include "cluster/preflight.h"
#include "conf/args.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "conf/version.h"
#include "host/descriptors.h"
#include "http/healthcheck.h"

/* No program name before it: "FILE:LINE: what" is what editors can jump to. */
static int fail(int status, const char *error)
{
    fprintf(stderr, "%s\n", error);
    return status;
}

static int act(const struct launch *launch, struct conf *conf)
{
    int status;
    switch (launch->args->action) {
    case CONF_ACTION_CHECK:
        puts("zombie-server: the configuration is valid");
        status = 0;
        break;
    case CONF_ACTION_DUMP:
        status = conf_dump(conf, stdout) == 0 ? 0 : EX_OSERR;
        break;
    case CONF_ACTION_PROBE:
        status = healthcheck_own(conf);
        break;
    case CONF_ACTION_PREFLIGHT:
        status = preflight_run(launch, conf);
        break;
    default:
        return master_run(launch, conf);
    }
    conf_free(conf);
    return status;
}

static int run(char *const *argv, const struct conf_args *args)
{
    char error[CONF_ERROR_SIZE];
    struct launch launch;
    struct conf *conf;
    int status = EX_OSERR;
    if (launch_note(argv, args, &launch) == 0) {
        int err = launch_load_first(&launch, &conf, error);
        if (err == 0)
            status = act(&launch, conf);
        else
            status = fail(err == -ENOMEM ? EX_OSERR : EX_CONFIG, error);
    }
    launch_clear(&launch);
    return status;
}

int main(int argc, char **argv)
{
    char error[CONF_ERROR_SIZE];
    struct conf_args args;
    int status = 0;
    descriptors_fill_standard();
    if (conf_args_parse(argc, argv, &args, error, sizeof error) != 0)
        return fail(EX_USAGE, error);
    if (args.action == CONF_ACTION_HELP)
        fputs(conf_args_usage(), stdout);
    else if (args.action == CONF_ACTION_VERSION)
        version_print(stdout, "zombie-server");
    else if (args.action == CONF_ACTION_PROBE && args.url != NULL)
        status = healthcheck_at(args.url);
    else
        status = run(argv, &args);
    conf_args_clear(&args);
    return status;
}
