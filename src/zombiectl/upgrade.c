/*
 * The command upgrade. The master executes another program in the middle of it,
 * which ends the connection; what has come of it is asked of the one after it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "control/client.h"
#include "zombiectl/commands.h"
#include "zombiectl/member.h"
#include "zombiectl/orders.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/zombiectl.h"

/* How long the new program may take until all its workers serve. */
#define AWAIT_MS 60000

struct waiting {
    struct zombiectl *ctl;
    int64_t upgrades; /* there were, before */
    int64_t begun_ms;
    int64_t reached_ms; /* when the server was last reached */
    int err;            /* why not this time */
};

/* The status of whoever listens now, or NULL. */
static json_t *look(struct waiting *waiting)
{
    struct zombiectl *ctl = waiting->ctl;
    json_t *end = NULL;
    json_t *status = NULL;

    talk_close(ctl);
    waiting->err = control_client_connect(ctl->base, ctl->socket_path, &ctl->client);
    if (waiting->err < 0)
        return NULL;
    waiting->reached_ms = clock_now_ms();
    if (talk_try(ctl, "status", NULL, TALK_PROMPT_MS, NULL, NULL, &end) == TALK_ANSWERED)
        status = json_incref(json_object_get(end, "result"));
    json_decref(end);
    return status;
}

static bool is_upgraded(const struct waiting *waiting, const json_t *status, const char *state)
{
    int64_t upgrades;

    return member_int(status, "upgrades", &upgrades) && upgrades > waiting->upgrades &&
           strcmp(state, "reloading") != 0 && strcmp(state, "starting") != 0;
}

static int conclude(const struct zombiectl *ctl, const json_t *status, const char *state)
{
    json_t *text =
        json_sprintf("version %s has taken over and is %s, generation %" JSON_INTEGER_FORMAT,
                     member_text(status, "version", "?"), state,
                     json_integer_value(json_object_get(status, "generation")));
    json_t *end = json_pack("{s:b, s:o}", "ok", 1, "text", text);
    int result = orders_conclude(ctl, end);

    json_decref(end);
    return result;
}

static int give_up(const struct waiting *waiting, const char *state)
{
    if (waiting->err < 0) {
        say_error("the server has gone while it was upgraded: %s: %s", waiting->ctl->socket_path,
                  strerror(-waiting->err));
        return ZOMBIECTL_FAILED;
    }
    say_error("the upgrade was not over after %d s, the state is %s; see zombiectl events",
              AWAIT_MS / 1000, state);
    return ZOMBIECTL_FAILED;
}

static bool is_time_up(const struct waiting *waiting)
{
    int64_t now_ms = clock_now_ms();

    return now_ms - waiting->begun_ms > AWAIT_MS ||
           (waiting->err < 0 && now_ms - waiting->reached_ms > TALK_GONE_MS);
}

static int await_upgrade(struct waiting *waiting)
{
    char state[32] = "unknown";

    waiting->begun_ms = waiting->reached_ms = clock_now_ms();
    say_progress(waiting->ctl->error_terminal, "the new program takes over");
    for (;;) {
        json_t *status = look(waiting);

        if (status != NULL)
            (void)snprintf(state, sizeof(state), "%s", member_text(status, "state", "unknown"));
        if (is_upgraded(waiting, status, state)) {
            int result = conclude(waiting->ctl, status, state);

            json_decref(status);
            return result;
        }
        json_decref(status);
        if (is_time_up(waiting))
            return give_up(waiting, state);
        talk_pause(waiting->ctl);
    }
}

int orders_upgrade(struct zombiectl *ctl, int n_operands, char **operands)
{
    struct waiting waiting = {.ctl = ctl};
    json_t *before = NULL, *end = NULL;
    int status = talk_open(ctl);

    (void)n_operands;
    if (status == 0)
        status = talk_fetch(ctl, "status", NULL, &before);
    if (status != 0)
        return status;
    (void)member_int(before, "upgrades", &waiting.upgrades);
    json_decref(before);
    if (talk_try(ctl, operands[0], NULL, TALK_PATIENT, orders_show_progress, ctl, &end) ==
            TALK_ANSWERED &&
        !member_is_true(end, "ok"))
        status = orders_conclude(ctl, end);
    else
        status = await_upgrade(&waiting);
    json_decref(end);
    return status;
}
