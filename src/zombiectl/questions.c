/* The commands that ask something and print the answer. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/terminal.h"
#include "zombiectl/view_status.h"
#include "zombiectl/zombiectl.h"

/* Ask, and leave the printing of the result to `show`, unless it is to be JSON. */
static int ask(struct zombiectl *ctl, const char *command,
               int (*show)(const struct zombiectl *ctl, const json_t *result))
{
    json_t *result = NULL;
    int status = talk_open(ctl);

    if (status == 0)
        status = talk_fetch(ctl, command, NULL, &result);
    if (status == 0 && ctl->json)
        say_json(result);
    else if (status == 0)
        status = show(ctl, result);
    json_decref(result);
    return status;
}

static int show_status(const struct zombiectl *ctl, const json_t *result)
{
    struct bytes drawn = {0};
    size_t width = isatty(STDOUT_FILENO) == 1 ? terminal_size(STDOUT_FILENO).columns : 0;
    bool done;

    view_status_draw(&drawn, result, width, ctl->colour);
    done = say_drawn(&drawn);
    bytes_free(&drawn);
    return done ? ZOMBIECTL_DONE : ZOMBIECTL_FAILED;
}

int questions_status(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    (void)operands;
    return ask(ctl, "status", show_status);
}

static int show_version(const struct zombiectl *ctl, const json_t *result)
{
    char line[256];
    int64_t pid = 0;

    (void)ctl;
    (void)member_int(result, "pid", &pid);
    (void)snprintf(line, sizeof(line),
                   "zombiectl %s\nzombie-server %.40s, pid %" PRId64 ", instance %.60s",
                   PACKAGE_VERSION, member_text(result, "version", "?"), pid,
                   member_text(result, "instance", "?"));
    say_text(line);
    return ZOMBIECTL_DONE;
}

int questions_version(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    (void)operands;
    return ask(ctl, "version", show_version);
}

static int show_config(const struct zombiectl *ctl, const json_t *result)
{
    (void)ctl;
    say_text(member_text(result, "text", ""));
    return ZOMBIECTL_DONE;
}

int questions_config(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    (void)operands;
    return ask(ctl, "config", show_config);
}

int questions_ping(struct zombiectl *ctl, int n_operands, char **operands)
{
    json_t *end = NULL;
    int status = talk_open(ctl);

    (void)n_operands;
    (void)operands;
    if (status == 0)
        status = talk_ask(ctl, "ping", NULL, TALK_PROMPT_MS, NULL, NULL, &end);
    if (status == 0)
        status = talk_verdict(end);
    if (end != NULL)
        (void)json_object_del(end, "id");
    if (status == 0 && ctl->json)
        say_json(end);
    else if (status == 0)
        say_text(member_text(end, "text", "pong"));
    json_decref(end);
    return status;
}
