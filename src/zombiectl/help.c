#include "config.h"

#include "zombiectl/help.h"

#include <stdio.h>
#include <string.h>

#include "zombiectl/commands.h"
#include "zombiectl/say.h"
#include "zombiectl/zombiectl.h"

/* Where the descriptions begin. */
#define HELP_COLUMN 33

static const char usage[] =
    "usage: zombiectl [-s SOCKET] [--json] [--colour=WHEN] [COMMAND [ARGUMENT]...]\n"
    "\n"
    "Commands; without one, status:\n";

static const char options[] =
    "\n"
    "Options:\n"
    "  -s, --socket PATH              the control socket of the server; without it\n"
    "                                 ZOMBIE_CONTROL, or the usual path\n"
    "      --json                     print results as JSON\n"
    "      --colour WHEN              auto (on a terminal), always or never\n"
    "  -V, --version                  print the version of zombiectl\n"
    "  -h, --help                     print this; behind a command, how it is used\n"
    "\n"
    "Exit status: 0 done, 1 failed, 3 the server does not run, 64 wrong use,\n"
    "77 not allowed. See zombiectl(8).\n";

static const char event_details[] = "\n"
                                    "  -f, --follow    go on with what happens from now on\n";

static const char log_details[] =
    "\n"
    "  -f, --follow    go on with what is logged from now on\n"
    "  -n, --lines N   begin with the last N lines, 0 to 1000; otherwise 50\n"
    "      --worker N  only those by the worker with this id, or about it\n";

static const char upstream_details[] =
    "\n"
    "Without operands, all upstreams; with a title, that one. A server is named as in\n"
    "the configuration, with all its addresses, or it is one address of a name.\n"
    "\n"
    "      --no-wait   drain: do not wait until its connections are closed\n";

static const char discover_details[] =
    "\n"
    "Without a name, all services that are looked up; with one, HOST:PORT of each\n"
    "instance that is not down.\n"
    "\n"
    "      --watch       go on, and print them anew at each change\n"
    "      --choose HOW  print one of them: round_robin, random or sticky\n"
    "      --key KEY     of sticky: the same key gets the same instance\n";

static const char chaos_details[] =
    "\n"
    "Required:\n"
    "      --mode kill|segv|hang|exit  how workers die\n"
    "      --rate N                    kills a second\n"
    "      --for TIME                  how long, as 500ms, 30s, 2m\n"
    "\n"
    "Options, with what holds without them:\n"
    "      --seed N                    of the plan, to repeat a run (any, printed)\n"
    "      --min-serving N             so many others must serve meanwhile (1)\n"
    "      --allow N                   requests that may be lost (0)\n"
    "      --connections N             of the load (8)\n"
    "      --url URL                   where the load goes (/ of the first listener)\n";

/* More lines for the help of one command. */
static const struct {
    const char *name;
    const char *details;
} more[] = {{"events", event_details},
            {"logs", log_details},
            {"upstream", upstream_details},
            {"discover", discover_details},
            {"chaos", chaos_details}};

static void print_row(const struct command *command)
{
    int width = printf("  %s %s", command->name, command->operands);

    if (width >= HELP_COLUMN) {
        (void)fputc('\n', stdout);
        width = 0;
    }
    printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 0, "", command->help);
}

static void print_one(const struct command *command)
{
    printf("usage: zombiectl %s%s%s\n%s\n", command->name, *command->operands != '\0' ? " " : "",
           command->operands, command->help);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        if (strcmp(more[i].name, command->name) == 0)
            (void)fputs(more[i].details, stdout);
}

void help_print(const struct command *command)
{
    size_t n;
    const struct command *commands = commands_all(&n);

    if (command != NULL) {
        print_one(command);
        return;
    }
    (void)fputs(usage, stdout);
    for (size_t i = 0; i < n; i++)
        print_row(&commands[i]);
    (void)fputs(options, stdout);
}

int help_command(struct zombiectl *ctl, int n_operands, char **operands)
{
    const struct command *command = n_operands > 1 ? commands_find(operands[1]) : NULL;
    const char *near = n_operands > 1 ? commands_suggest(operands[1]) : NULL;

    (void)ctl;
    if (n_operands > 1 && command == NULL) {
        if (near != NULL)
            say_error("unknown command '%.40s'; did you mean '%s'?", operands[1], near);
        else
            say_error("unknown command '%.40s'; see zombiectl help", operands[1]);
        return ZOMBIECTL_USAGE;
    }
    help_print(command);
    return ZOMBIECTL_DONE;
}
