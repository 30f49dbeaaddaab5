/*
 * What the commands of zombiectl share: the session with a server, what the
 * user has asked for on the command line, and how to end.
 */
#ifndef ZOMBIE_ZOMBIECTL_ZOMBIECTL_H
#define ZOMBIE_ZOMBIECTL_ZOMBIECTL_H

#include <stdbool.h>
#include <sysexits.h>

struct arguments;
struct control_client;
struct event_base;

struct zombiectl {
    struct event_base *base;
    struct control_client *client; /* NULL until talk_open() */
    const char *socket_path;       /* -s, ZOMBIE_CONTROL or the default; set by talk_open() */
    const struct arguments *arguments;
    bool json;           /* --json: results to standard output as JSON */
    bool colour;         /* standard output takes colours */
    bool error_terminal; /* standard error is a terminal: progress stays on one line */
};

/* Exit statuses; zombiectl(8). */
enum zombiectl_status {
    ZOMBIECTL_DONE = 0,
    ZOMBIECTL_FAILED = 1,
    ZOMBIECTL_NOT_RUNNING = 3,
    ZOMBIECTL_USAGE = EX_USAGE,
    ZOMBIECTL_NOT_ALLOWED = EX_NOPERM,
};

/*
 * A command: operands[0] is its name, operands[n_operands - 1] the last word
 * behind it, operands[n_operands] NULL. It opens the session itself, once its
 * operands are found to be in order. Returns an exit status, and has said on
 * standard error why when it is not 0.
 */
typedef int zombiectl_command(struct zombiectl *ctl, int n_operands, char **operands);

#endif
