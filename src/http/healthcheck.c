#include "config.h"

#include "http/healthcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "http/probe.h"

/* What it may take, all in all. */
#define PROBE_MS 5000

static int ask(const struct probe_target *target)
{
    char text[PROBE_TEXT_SIZE];
    bool is_well = probe_run(target, PROBE_MS, text);
    fprintf(is_well ? stdout : stderr, "%s: %s\n", target->name, text);
    return is_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int healthcheck_at(const char *url)
{
    struct probe_target target;
    const char *why;
    if (probe_target_parse(url, &target, &why) == 0)
        return ask(&target);
    fprintf(stderr, "option --healthcheck: %s: %s\n", url, why);
    return EX_USAGE;
}

int healthcheck_own(const struct conf *conf)
{
    struct probe_target target;
    const char *why;
    if (probe_target_default(conf, &target, &why) == 0)
        return ask(&target);
    fprintf(stderr, "option --healthcheck: %s; give it a URL\n", why);
    return EX_USAGE;
}
