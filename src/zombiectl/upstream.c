/* The upstreams and their servers: what they do, and which of them get requests. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/orders.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/terminal.h"
#include "zombiectl/view_upstream.h"

/* What a first word can order; without an order it is a title. */
static const struct {
    const char *word;
    const char *command;
} verbs[] = {{"drain", "upstream-drain"}, {"undrain", "upstream-undrain"}};

static const char *command_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].word, word) == 0)
            return verbs[i].command;
    return NULL;
}

/* The list of all, or of the one of that title alone; the caller's. NULL: there is none. */
static json_t *pick(const json_t *status, const char *title)
{
    json_t *all = json_object_get(status, "upstreams");
    json_t *one;

    if (title == NULL)
        return json_is_array(all) ? json_incref(all) : json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        one = json_array_get(all, i);
        if (strcmp(member_text(one, "title", ""), title) == 0)
            return json_pack("[O]", one);
    }
    return NULL;
}

static int show(const struct zombiectl *ctl, json_t *upstreams)
{
    size_t width = isatty(STDOUT_FILENO) == 1 ? terminal_size(STDOUT_FILENO).columns : 0;
    struct bytes drawn = {0};
    bool done;

    if (ctl->json) {
        json_t *value = json_pack("{s:O}", "upstreams", upstreams);

        say_json(value);
        json_decref(value);
        return ZOMBIECTL_DONE;
    }
    view_upstream_draw(&drawn, upstreams, width, ctl->colour);
    done = say_drawn(&drawn);
    bytes_free(&drawn);
    return done ? ZOMBIECTL_DONE : ZOMBIECTL_FAILED;
}

static int look(struct zombiectl *ctl, const char *title)
{
    json_t *status = NULL, *upstreams;
    int exit_status = talk_open(ctl);

    if (exit_status == 0)
        exit_status = talk_fetch(ctl, "status", NULL, &status);
    if (exit_status != 0)
        return exit_status;
    upstreams = pick(status, title);
    if (upstreams != NULL) {
        exit_status = show(ctl, upstreams);
    } else {
        say_error("there is no upstream '%.60s'; zombiectl upstream shows all", title);
        exit_status = ZOMBIECTL_USAGE;
    }
    json_decref(upstreams);
    json_decref(status);
    return exit_status;
}

int upstream_command(struct zombiectl *ctl, int n_operands, char **operands)
{
    const char *command = command_of(operands[1]);
    bool no_wait = ctl->arguments->no_wait;
    json_t *arguments;

    if ((command != NULL) != (n_operands == 4) || (command == NULL && n_operands > 2)) {
        say_error("'upstream' needs a title, or drain or undrain with a title and a server; "
                  "see zombiectl help upstream");
        return ZOMBIECTL_USAGE;
    }
    if (no_wait && (command == NULL || strcmp(operands[1], verbs[0].word) != 0)) {
        say_error("option --no-wait is for 'upstream drain' only");
        return ZOMBIECTL_USAGE;
    }
    if (command == NULL)
        return look(ctl, operands[1]);
    arguments = json_pack("{s:s, s:s}", "upstream", operands[2], "server", operands[3]);
    if (arguments == NULL) {
        say_error("'%.60s' or '%.60s' is not UTF-8", operands[2], operands[3]);
        return ZOMBIECTL_USAGE;
    }
    if (no_wait)
        (void)json_object_set_new(arguments, "wait", json_false());
    return orders_give(ctl, command, arguments);
}
