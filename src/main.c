/* From argv to the configuration to the master: a table of contents. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

#include "host/descriptors.h"
#include "cluster/master.h"
#include "conf/version.h"
#include "conf/args.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "http/handlers/handler.h"

/* No program name before it: "FILE:LINE: what" is what editors can jump to. */
static int fail(int status, const char *error)
{
    fprintf(stderr, "%s\n", error);
    return status;
}

static int act(enum conf_action action, const struct conf *conf)
{
    switch (action) {
    case CONF_ACTION_CHECK:
        puts("zombie-server: the configuration is valid");
        return 0;
    case CONF_ACTION_DUMP:
        return conf_dump(conf, stdout) == 0 ? 0 : EX_OSERR;
    default:
        return master_run(conf);
    }
}

int main(int argc, char **argv)
{
    char error[CONF_ERROR_SIZE];
    struct conf_args args;
    struct conf *conf;
    descriptors_fill_standard();
    if (conf_args_parse(argc, argv, &args, error, sizeof error) != 0)
        return fail(EX_USAGE, error);
    if (args.action == CONF_ACTION_HELP || args.action == CONF_ACTION_VERSION) {
        if (args.action == CONF_ACTION_HELP)
            fputs(conf_args_usage(), stdout);
        else
            version_print(stdout);
        conf_args_clear(&args);
        return 0;
    }
    int err = conf_load(&args, handlers_conf, &conf, error);
    enum conf_action action = args.action;
    conf_args_clear(&args);
    if (err != 0)
        return fail(err == -ENOMEM ? EX_OSERR : EX_CONFIG, error);
    int status = act(action, conf);
    conf_free(conf);
    return status;
}
