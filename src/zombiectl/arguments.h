/*
 * The command line of zombiectl. Options may stand before and behind the
 * command; a word that is a negative number, as in "scale -2", is none.
 */
#ifndef ZOMBIE_ZOMBIECTL_ARGUMENTS_H
#define ZOMBIE_ZOMBIECTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

struct command;

enum arguments_colour { ARGUMENTS_COLOUR_AUTO, ARGUMENTS_COLOUR_ALWAYS, ARGUMENTS_COLOUR_NEVER };

/* Room for the reason of a refusal, terminating NUL included. */
#define ARGUMENTS_ERROR_SIZE 256

struct arguments {
    const struct command *command; /* NULL: none was named */
    char **operands;               /* the command's name and what follows; NULL-terminated */
    int n_operands;
    const char *socket_path; /* NULL: not given */
    enum arguments_colour colour;
    bool json, help, version;
    bool follow, fast, no_wait, watch;
    const char *choose, *key; /* NULL: not given */
    long worker;              /* 0: all */
    long lines;               /* how many to begin with */
};

/*
 * Read argv; texts stay borrowed from it. Returns 0 and fills *ret_arguments,
 * to be released by arguments_clear(); or -EINVAL (-ENOMEM) with the reason in error.
 */
__attribute__((warn_unused_result)) int arguments_parse(int argc, char **argv,
                                                        struct arguments *ret_arguments,
                                                        char error[ARGUMENTS_ERROR_SIZE]);

/* Free what arguments_parse() has allocated. */
void arguments_clear(struct arguments *arguments);

#endif
