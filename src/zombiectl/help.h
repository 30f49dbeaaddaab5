/*
 * How zombiectl is used, written from the table of commands.
 */
#ifndef ZOMBIE_ZOMBIECTL_HELP_H
#define ZOMBIE_ZOMBIECTL_HELP_H

struct command;

/* Print all commands and options, or (not NULL) how one command is used, on standard output. */
void help_print(const struct command *command);

#endif
