/* The commands that print a stream: events and logs. */
#include "config.h"

#include "base/bytes.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/view_event.h"
#include "zombiectl/zombiectl.h"

/* `piece` prints; it gets the session. Each line is written at once: people wait for it. */
static int follow(struct zombiectl *ctl, const char *command, json_t *arguments, talk_piece *piece)
{
    int wait_ms = ctl->arguments->follow ? TALK_PATIENT : TALK_PROMPT_MS;
    json_t *end = NULL;
    int status = talk_open(ctl);

    if (status != 0) {
        json_decref(arguments);
        return status;
    }
    status = talk_ask(ctl, command, arguments, wait_ms, piece, ctl, &end);
    if (status == 0)
        status = end != NULL ? talk_verdict(end) : ZOMBIECTL_FAILED;
    json_decref(end);
    return status;
}

static bool print_event(const json_t *line, void *arg)
{
    const struct zombiectl *ctl = arg;
    const json_t *event = json_object_get(line, "event");
    struct bytes drawn = {0};
    bool done = true;

    if (event == NULL)
        return true;
    if (ctl->json) {
        say_json(event);
    } else {
        view_event_draw(&drawn, event, ctl->colour);
        done = say_drawn(&drawn);
        bytes_free(&drawn);
    }
    return done && say_flush();
}

int follow_events(struct zombiectl *ctl, int n_operands, char **operands)
{
    (void)n_operands;
    (void)operands;
    return follow(ctl, "events", json_pack("{s:b}", "follow", ctl->arguments->follow), print_event);
}

static bool print_log(const json_t *line, void *arg)
{
    const struct zombiectl *ctl = arg;
    const json_t *log = json_object_get(line, "log");

    if (log == NULL)
        return true;
    if (ctl->json)
        say_json(log);
    else
        say_text(member_text(log, "line", ""));
    return say_flush();
}

int follow_logs(struct zombiectl *ctl, int n_operands, char **operands)
{
    const struct arguments *given = ctl->arguments;
    json_t *arguments =
        json_pack("{s:b, s:I}", "follow", given->follow, "lines", (json_int_t)given->lines);

    (void)n_operands;
    (void)operands;
    if (given->worker > 0)
        (void)json_object_set_new(arguments, "worker", json_integer(given->worker));
    return follow(ctl, "logs", arguments, print_log);
}
