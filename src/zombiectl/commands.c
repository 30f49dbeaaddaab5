#include "config.h"

#include "zombiectl/commands.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "zombiectl/chaos.h"
#include "zombiectl/nearest.h"

static const struct command commands[] = {
    {"status", "", 0, 0, "", questions_status, "show the instance and its processes"},
    {"top", "", 0, 0, "", top_command, "the same once a second, in place; q quits"},
    {"events", "[-f]", 0, 0, "f", follow_events, "births, deaths, reloads, orders; -f goes on"},
    {"logs", "[-f] [--worker N] [-n LINES]", 0, 0, "fwn", follow_logs,
     "the last lines of the log; -f goes on"},
    {"reload", "", 0, 0, "", orders_reload, "read the configuration anew, with new workers"},
    {"upgrade", "", 0, 0, "", orders_upgrade, "execute the program anew, without a pause"},
    {"restart", "[SLOT]", 0, 1, "", orders_restart, "replace all workers one by one, or one"},
    {"scale", "N|+N|-N", 1, 1, "", orders_scale, "have N workers, or N more or fewer"},
    {"drain", "SLOT", 1, 1, "", orders_drain, "let a worker finish, leave its slot empty"},
    {"upstream", "[TITLE | drain|undrain TITLE SERVER] [--no-wait]", 0, 3, "N", upstream_command,
     "show upstreams; take a server out, or in again"},
    {"discover", "[NAME] [--watch] [--choose HOW] [--key KEY]", 0, 1, "WHK", discover_command,
     "who can be asked for a service, by the registry"},
    {"kill", "SLOT [SIGNAL]", 1, 2, "", orders_kill, "send a process a signal, or KILL"},
    {"stop", "[--fast]", 0, 0, "F", orders_stop, "stop; --fast: at once, requests are lost"},
    {"reopen-logs", "", 0, 0, "", orders_reopen_logs, "open the files of the logs again"},
    {"log-level", "LEVEL", 1, 1, "", orders_log_level, "log more or less until the next reload"},
    {"config", "", 0, 0, "", questions_config, "the configuration and where its values are from"},
    {"chaos", "run --mode MODE --rate N --for TIME [OPTION]...", 0, INT_MAX, COMMANDS_OWN_OPTIONS,
     chaos_command, "kill under load, judge the loss"},
    {"ping", "", 0, 0, "", questions_ping, "see whether the server answers"},
    {"version", "", 0, 0, "", questions_version, "the versions of zombiectl and of the server"},
    {"help", "[COMMAND]", 0, 1, "", help_command, "print this, or how a command is used"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct command *commands_all(size_t *ret_n)
{
    *ret_n = N_COMMANDS;
    return commands;
}

const struct command *commands_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const char *commands_suggest(const char *name)
{
    const char *nearest = NULL;
    size_t smallest = SIZE_MAX;

    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t distance = nearest_distance(name, commands[i].name);

        if (distance < smallest) {
            smallest = distance;
            nearest = commands[i].name;
        }
    }
    return nearest_is_near(name, smallest) ? nearest : NULL;
}
