/* The command discover: who can be asked for a service, once or whenever that changes. */
#include "config.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "zombiectl/arguments.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/terminal.h"
#include "zombiectl/view_discovery.h"
#include "zombiectl/zombiectl.h"

/* How often it is asked anew, in milliseconds. */
#define PERIOD_MS 500

/* So many connections in a row may end without an answer. */
#define LOSSES_MAX 3

static json_t *make_arguments(const struct zombiectl *ctl, const char *service)
{
    const struct arguments *given = ctl->arguments;

    return json_pack("{s:s*, s:s*, s:s*}", "service", service, "choose", given->choose, "key",
                     given->key);
}

static bool show(const struct zombiectl *ctl, const json_t *answer)
{
    const json_t *services = json_object_get(answer, "services");
    size_t width = isatty(STDOUT_FILENO) == 1 ? terminal_size(STDOUT_FILENO).columns : 0;
    struct bytes drawn = {0};
    bool done;

    if (ctl->json) {
        say_json(answer);
        return true;
    }
    if (services != NULL)
        view_discovery_draw(&drawn, services, width, ctl->colour);
    else
        view_discovery_list(&drawn, answer);
    if (ctl->arguments->watch)
        bytes_add_text(&drawn, "\n"); /* where a list ends */
    done = say_drawn(&drawn);
    bytes_free(&drawn);
    return done;
}

/* An empty list would say something that nobody knows. */
static bool is_known(const json_t *answer)
{
    return strcmp(member_text(answer, "origin", ""), "unknown") != 0;
}

static int ask_once(struct zombiectl *ctl, const char *service)
{
    json_t *answer = NULL;
    int status = talk_fetch(ctl, "discover", make_arguments(ctl, service), &answer);

    if (status == 0 && (ctl->json || is_known(answer)) && !show(ctl, answer))
        status = ZOMBIECTL_FAILED;
    if (status == 0 && !is_known(answer)) {
        say_error("the registry has not said yet who %.127s is", service);
        status = ZOMBIECTL_FAILED;
    }
    json_decref(answer);
    return status;
}

static bool differs(const json_t *before, const json_t *now, const char *key)
{
    return !json_equal(json_object_get(before, key), json_object_get(now, key));
}

/* Another instance counts its versions anew. Lists do not show the origin. */
static bool is_news(const struct zombiectl *ctl, const json_t *before, const json_t *now)
{
    return before == NULL || differs(before, now, "version") || differs(before, now, "members") ||
           (ctl->json && differs(before, now, "origin"));
}

struct watch {
    struct zombiectl *ctl;
    const char *service;
    json_t *shown; /* the last answer that was; NULL: none yet */
    int losses;    /* in a row */
};

/* Returns 0, and there is more to come, or an exit status. */
static int take_answer(struct watch *watch, const json_t *end)
{
    json_t *answer = json_object_get(end, "result");
    int status = talk_verdict(end);

    watch->losses = 0;
    if (status != 0 || !is_known(answer) || !is_news(watch->ctl, watch->shown, answer))
        return status;
    json_decref(watch->shown);
    watch->shown = json_incref(answer);
    return show(watch->ctl, answer) && say_flush() ? 0 : ZOMBIECTL_FAILED;
}

static int look_again(struct watch *watch)
{
    struct zombiectl *ctl = watch->ctl;
    json_t *end = NULL;
    enum talk_outcome outcome = talk_try(ctl, "discover", make_arguments(ctl, watch->service),
                                         TALK_PROMPT_MS, NULL, NULL, &end);
    int status;

    if (outcome == TALK_LOST && watch->losses++ < LOSSES_MAX)
        return talk_reopen(ctl);
    status = talk_conclude(outcome, TALK_PROMPT_MS);
    if (status == 0)
        status = take_answer(watch, end);
    json_decref(end);
    return status;
}

static int watch(struct zombiectl *ctl, const char *service)
{
    const struct timespec period = {.tv_nsec = PERIOD_MS * 1000000L};
    struct watch watch = {.ctl = ctl, .service = service};
    int status;

    while ((status = look_again(&watch)) == 0)
        (void)nanosleep(&period, NULL);
    json_decref(watch.shown);
    return status;
}

static const char *check(const struct arguments *given, const char *service)
{
    if (service == NULL && (given->watch || given->choose != NULL || given->key != NULL))
        return "options --watch, --choose and --key need the name of a service";
    if (given->watch && given->choose != NULL)
        return "options --watch and --choose do not go together";
    return NULL;
}

int discover_command(struct zombiectl *ctl, int n_operands, char **operands)
{
    const char *service = operands[1];
    const char *wrong = check(ctl->arguments, service);
    json_t *arguments = make_arguments(ctl, service);
    int status;

    (void)n_operands;
    if (wrong == NULL && arguments == NULL)
        wrong = "the service or the key is not UTF-8";
    json_decref(arguments);
    if (wrong != NULL) {
        say_error("%s; see zombiectl help discover", wrong);
        return ZOMBIECTL_USAGE;
    }
    status = talk_open(ctl);
    if (status != 0)
        return status;
    return ctl->arguments->watch ? watch(ctl, service) : ask_once(ctl, service);
}
