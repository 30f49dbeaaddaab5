/*
 * The commands of zombiectl: one table, from which the command line is read and
 * the help is written.
 */
#ifndef ZOMBIE_ZOMBIECTL_COMMANDS_H
#define ZOMBIE_ZOMBIECTL_COMMANDS_H

#include <stddef.h>

#include "zombiectl/zombiectl.h"

/* Leave to the command whatever is no option of zombiectl itself. */
#define COMMANDS_OWN_OPTIONS "*"

struct command {
    const char *name;
    const char *operands; /* as the help shows them, with the command's own options */
    int n_operands_min;
    int n_operands_max;
    const char *options; /* the letters of its own options, see arguments.c; or as above */
    zombiectl_command *run;
    const char *help;
};

/* In the order of the help; *ret_n is how many. */
const struct command *commands_all(size_t *ret_n);

/* The command of that name, or NULL. */
const struct command *commands_find(const char *name);

/* The name that is spelled most like `name`, or NULL when none is near. */
const char *commands_suggest(const char *name);

/* What the rows point to, each in the file of its kind. */
zombiectl_command questions_ping;
zombiectl_command questions_version;
zombiectl_command questions_status;
zombiectl_command questions_config;
zombiectl_command follow_events;
zombiectl_command follow_logs;
zombiectl_command orders_reload;
zombiectl_command orders_restart;
zombiectl_command orders_scale;
zombiectl_command orders_drain;
zombiectl_command orders_kill;
zombiectl_command orders_stop;
zombiectl_command orders_reopen_logs;
zombiectl_command orders_log_level;
zombiectl_command orders_upgrade;
zombiectl_command top_command;
zombiectl_command upstream_command;
zombiectl_command discover_command;
zombiectl_command help_command;

#endif
