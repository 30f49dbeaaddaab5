/*
 * The commands that print a stream: events and logs. One that is followed goes on
 * with the program that takes the server's place.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/view_event.h"
#include "zombiectl/zombiectl.h"

/* So many connections in a row may end within so short a time each. */
#define LOSSES_MAX 3
#define BRIEF_MS   5000

struct stream {
    struct zombiectl *ctl;
    const char *command;
    const char *member; /* of a line of the answer, which holds the piece */
    bool (*print)(const struct zombiectl *ctl, const json_t *piece);
    int64_t seen;      /* the number of the last piece; 0: none yet */
    char instance[64]; /* whose numbers these are */
};

/* Each line is written at once: people wait for it. */
static bool on_piece(const json_t *line, void *arg)
{
    struct stream *stream = arg;
    const json_t *piece = json_object_get(line, stream->member);

    if (piece == NULL)
        return true;
    (void)member_int(piece, "seq", &stream->seen);
    return stream->print(stream->ctl, piece) && say_flush();
}

static json_t *make_arguments(const struct stream *stream)
{
    const struct arguments *given = stream->ctl->arguments;
    json_t *arguments = json_pack("{s:b}", "follow", given->follow);

    if (strcmp(stream->command, "logs") == 0)
        (void)json_object_set_new(arguments, "lines",
                                  json_integer(stream->seen > 0 ? 1000 : given->lines));
    if (given->worker > 0)
        (void)json_object_set_new(arguments, "worker", json_integer(given->worker));
    if (stream->seen > 0)
        (void)json_object_set_new(arguments, "since", json_integer(stream->seen));
    return arguments;
}

/* Another instance begins to count anew. */
static void identify(struct stream *stream, const json_t *end)
{
    const char *instance = member_text(json_object_get(end, "result"), "instance", "");

    if (strcmp(instance, stream->instance) != 0)
        stream->seen = 0;
    (void)snprintf(stream->instance, sizeof(stream->instance), "%s", instance);
}

static enum talk_outcome converse(struct stream *stream, json_t **ret_end)
{
    struct zombiectl *ctl = stream->ctl;
    bool follow = ctl->arguments->follow;
    enum talk_outcome outcome;

    if (follow) {
        outcome = talk_try(ctl, "version", NULL, TALK_PROMPT_MS, NULL, NULL, ret_end);
        if (outcome != TALK_ANSWERED || !member_is_true(*ret_end, "ok"))
            return outcome;
        identify(stream, *ret_end);
        json_decref(*ret_end);
        *ret_end = NULL;
    }
    return talk_try(ctl, stream->command, make_arguments(stream),
                    follow ? TALK_PATIENT : TALK_PROMPT_MS, on_piece, stream, ret_end);
}

static int run(struct stream *stream)
{
    bool follow = stream->ctl->arguments->follow;
    int status = talk_open(stream->ctl);

    for (int losses = 0; status == 0;) {
        int64_t begun_ms = clock_now_ms();
        json_t *end = NULL;
        enum talk_outcome outcome = converse(stream, &end);

        losses = clock_now_ms() - begun_ms < BRIEF_MS ? losses + 1 : 1;
        if (outcome == TALK_LOST && follow && losses <= LOSSES_MAX) {
            status = talk_reopen(stream->ctl);
            continue;
        }
        status = talk_conclude(outcome, TALK_PROMPT_MS);
        if (status == 0)
            status = end != NULL ? talk_verdict(end) : ZOMBIECTL_FAILED;
        json_decref(end);
        break;
    }
    return status;
}

static bool print_event(const struct zombiectl *ctl, const json_t *event)
{
    struct bytes drawn = {0};
    bool done;

    if (ctl->json) {
        say_json(event);
        return true;
    }
    view_event_draw(&drawn, event, ctl->colour);
    done = say_drawn(&drawn);
    bytes_free(&drawn);
    return done;
}

int follow_events(struct zombiectl *ctl, int n_operands, char **operands)
{
    struct stream stream = {
        .ctl = ctl, .command = operands[0], .member = "event", .print = print_event};

    (void)n_operands;
    return run(&stream);
}

static bool print_log(const struct zombiectl *ctl, const json_t *log)
{
    if (ctl->json)
        say_json(log);
    else
        say_text(member_text(log, "line", ""));
    return true;
}

int follow_logs(struct zombiectl *ctl, int n_operands, char **operands)
{
    struct stream stream = {
        .ctl = ctl, .command = operands[0], .member = "log", .print = print_log};

    (void)n_operands;
    return run(&stream);
}
