#include "config.h"

#include "cluster/preflight.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "cluster/child.h"
#include "cluster/handover.h"
#include "cluster/launch.h"
#include "cluster/signals.h"
#include "conf/conf.h"

static int fail(int status, const char *error)
{
    fprintf(stderr, "%s\n", error);
    return status;
}

/* What the new master will need first: its log, and descriptors for a loop. */
static int check_needs(const struct conf *conf)
{
    int err = conf_open_log(&conf->log);
    if (err != 0) {
        fprintf(stderr, "cannot log to %s: %s\n", conf->log.target, strerror(-err));
        return EX_OSERR;
    }
    struct event_base *base = event_base_new();
    int fd = signals_open();
    if (base == NULL || fd < 0)
        return fail(EX_OSERR, "cannot make an event loop");
    event_base_free(base);
    close(fd);
    puts(PREFLIGHT_PASSED);
    return 0;
}

int preflight_run(const struct launch *launch, const struct conf *conf)
{
    char error[STATE_ERROR_SIZE];
    struct state state;
    if (launch->state_fd < 0)
        return fail(EX_USAGE, "--preflight is for a master that upgrades: there is no state");
    if (handover_read(launch, &state, error) != 0)
        return fail(EX_DATAERR, error);
    int err = handover_check(&state, error);
    state_clear(&state);
    if (err != 0)
        return fail(EX_DATAERR, error);
    const char *lacks = child_lacks_rights(conf);
    return lacks != NULL ? fail(EX_OSERR, lacks) : check_needs(conf);
}
