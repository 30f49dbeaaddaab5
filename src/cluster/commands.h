/*
 * What can be asked of the master by the control socket: the table of commands,
 * and what an order must look like. doc/protocol.md describes them.
 */
#ifndef ZOMBIE_CLUSTER_COMMANDS_H
#define ZOMBIE_CLUSTER_COMMANDS_H

#include <stdbool.h>

#include "cluster/operation.h"

/*
 * Find the command of that name and read its arguments. OPERATION_OVER: it was
 * refused, and the asker knows why.
 */
enum operation_state commands_understand(struct operation *operation, const char *name,
                                         const json_t *arguments);

/* Whether the operation must be looked at again though nothing has happened. */
bool commands_need_looks(const struct operation *operation);

/* The instance has ended: the last word to who still waits. */
void commands_conclude(struct operation *operation);

/* One each, in the file that is called like it or like what it is about. */
extern const struct command command_config;
extern const struct command command_discover;
extern const struct command command_drain;
extern const struct command command_events;
extern const struct command command_kill;
extern const struct command command_log_level;
extern const struct command command_logs;
extern const struct command command_ping;
extern const struct command command_reload;
extern const struct command command_reopen_logs;
extern const struct command command_restart;
extern const struct command command_scale;
extern const struct command command_status;
extern const struct command command_stop;
extern const struct command command_upgrade;
extern const struct command command_upstream_drain;
extern const struct command command_upstream_undrain;
extern const struct command command_version;

#endif
