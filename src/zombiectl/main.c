/* From the command line to the command: a table of contents. */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/descriptors.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/help.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/terminal.h"
#include "zombiectl/zombiectl.h"

static bool wants_colour(enum arguments_colour colour)
{
    const char *no = getenv("NO_COLOR");

    if (colour != ARGUMENTS_COLOUR_AUTO)
        return colour == ARGUMENTS_COLOUR_ALWAYS;
    return terminal_understands(STDOUT_FILENO) && (no == NULL || *no == '\0');
}

static int run(const struct arguments *arguments)
{
    struct zombiectl ctl = {
        .base = event_base_new(),
        .arguments = arguments,
        .json = arguments->json,
        .colour = wants_colour(arguments->colour),
        .error_terminal = terminal_understands(STDERR_FILENO),
    };
    char *status_words[] = {(char[]){"status"}, NULL};
    int status;

    if (ctl.base == NULL) {
        say_error("%s", strerror(errno));
        return ZOMBIECTL_FAILED;
    }
    if (arguments->command == NULL)
        status = commands_find(status_words[0])->run(&ctl, 1, status_words);
    else
        status = arguments->command->run(&ctl, arguments->n_operands, arguments->operands);
    talk_close(&ctl);
    event_base_free(ctl.base);
    return status;
}

static int act(const struct arguments *arguments)
{
    if (arguments->help)
        help_print(arguments->command);
    else if (arguments->version)
        puts("zombiectl " PACKAGE_VERSION);
    else
        return run(arguments);
    return ZOMBIECTL_DONE;
}

int main(int argc, char **argv)
{
    char error[ARGUMENTS_ERROR_SIZE];
    struct arguments arguments;
    int err, status;

    descriptors_fill_standard();
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* all texts are UTF-8, wherever we are */
    (void)signal(SIGPIPE, SIG_IGN);       /* writing says so as well */
    err = arguments_parse(argc, argv, &arguments, error);
    if (err < 0) {
        say_error("%s", error);
        return err == -ENOMEM ? ZOMBIECTL_FAILED : ZOMBIECTL_USAGE;
    }
    status = act(&arguments);
    say_no_progress();
    arguments_clear(&arguments);
    return say_flush() || status != 0 ? status : ZOMBIECTL_FAILED;
}
