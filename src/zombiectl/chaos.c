#include "config.h"

#include "zombiectl/chaos.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/bytes.h"
#include "zombiectl/chaos_options.h"
#include "zombiectl/chaos_report.h"
#include "zombiectl/chaos_run.h"
#include "zombiectl/chaos_target.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"

static int refuse(enum zombiectl_status status, const char *what, const char *why)
{
    say_error("%s: %s", what, why);
    return (int)status;
}

/* One that is short enough to be typed. */
static int64_t any_seed(void)
{
    uint32_t seed = 0;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return 1;
    return seed % 1000000000;
}

/* The first listener that speaks TCP, or else the first; NULL: none. */
static const char *find_listener(const json_t *status)
{
    const json_t *listeners = json_object_get(status, "listeners");
    const json_t *listener;
    size_t i;

    json_array_foreach(listeners, i, listener)
    {
        const char *url = json_string_value(listener);

        if (url != NULL && strncmp(url, "http://", strlen("http://")) == 0)
            return url;
    }
    return json_string_value(json_array_get(listeners, 0));
}

static int aim(const char *url, struct chaos_target *ret_target)
{
    const char *why = NULL;

    if (url == NULL)
        return refuse(ZOMBIECTL_FAILED, "chaos", "the server has no listener: give --url");
    if (chaos_target_parse(url, ret_target, &why) != 0)
        return refuse(ZOMBIECTL_USAGE, url, why);
    return ZOMBIECTL_DONE;
}

/* Whether the server lets itself be killed, and has workers enough. */
static int check_server(const json_t *status, const struct chaos_options *options,
                        unsigned *ret_slots)
{
    int64_t workers = 0;

    if (!member_is_true(status, "chaos"))
        return refuse(ZOMBIECTL_NOT_ALLOWED, "chaos is off",
                      "start the server with --chaos, or set enabled = true in its section chaos");
    if (!member_int(status, "workers", &workers) || workers < 1 || workers > CHAOS_SLOTS_MAX)
        return refuse(ZOMBIECTL_FAILED, "chaos", "the server has no workers");
    if (workers <= options->min_serving)
        return refuse(ZOMBIECTL_USAGE, "chaos",
                      "the server has too few workers for that --min-serving: "
                      "every kill would be held back");
    *ret_slots = (unsigned)workers;
    return ZOMBIECTL_DONE;
}

static bool note_seq(const json_t *line, void *arg)
{
    (void)member_int(json_object_get(line, "event"), "seq", arg);
    return true;
}

static int find_last_event(struct zombiectl *ctl, int64_t *ret_seq)
{
    json_t *end = NULL;
    int status = talk_ask(ctl, "events", NULL, TALK_PROMPT_MS, note_seq, ret_seq, &end);

    if (status == ZOMBIECTL_DONE)
        status = talk_verdict(end);
    json_decref(end);
    return status;
}

static int print(const struct zombiectl *ctl, const struct chaos_report *report)
{
    struct bytes drawn = {0};
    json_t *object = NULL;
    bool is_said = true;

    if (ctl->json) {
        object = chaos_report_json(report);
        say_json(object);
    } else {
        chaos_report_print(report, &drawn);
        is_said = say_drawn(&drawn);
    }
    json_decref(object);
    bytes_free(&drawn);
    return is_said && say_flush() && chaos_report_passes(report) ? ZOMBIECTL_DONE
                                                                 : ZOMBIECTL_FAILED;
}

static int run(struct zombiectl *ctl, struct chaos_options *options, struct chaos_target *target)
{
    struct chaos_report *report = calloc(1, sizeof(*report));
    json_t *server = NULL;
    unsigned slots = 0;
    int64_t seq = 0;
    int status = talk_fetch(ctl, "status", NULL, &server);
    int r;

    if (status == ZOMBIECTL_DONE)
        status = check_server(server, options, &slots);
    if (status == ZOMBIECTL_DONE && options->url == NULL)
        status = aim(find_listener(server), target);
    if (status == ZOMBIECTL_DONE)
        status = find_last_event(ctl, &seq);
    json_decref(server);
    if (status == ZOMBIECTL_DONE) {
        say_progress(false, "seed %" PRId64, options->seed);
        r = report != NULL ? chaos_run(ctl, options, target, slots, seq, report) : -ENOMEM;
        status = r == 0 ? print(ctl, report) : refuse(ZOMBIECTL_FAILED, "chaos", strerror(-r));
    }
    if (report != NULL)
        chaos_strength_clear(&report->strength);
    free(report);
    return status;
}

static int run_precisely(struct zombiectl *ctl, struct chaos_options *options,
                         struct chaos_target *target)
{
    int status = talk_open(ctl);

    if (status != ZOMBIECTL_DONE)
        return status;
    status = run(ctl, options, target);
    talk_close(ctl);
    return status;
}

/*
 * One whose timers keep to the microsecond. With the usual ones, of a few
 * milliseconds, all clients would ask in the moment of a kill, and lose ten times as much.
 */
static struct event_base *make_precise_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return base;
}

int chaos_command(struct zombiectl *ctl, int n_operands, char **operands)
{
    struct zombiectl precise = *ctl;
    struct chaos_options options;
    struct chaos_target target;
    char why[CHAOS_WHY_SIZE];
    int status;

    if (chaos_options_parse(n_operands - 1, operands + 1, &options, why) != 0)
        return refuse(ZOMBIECTL_USAGE, "chaos", why);
    if (options.seed < 0)
        options.seed = any_seed();
    status = options.url != NULL ? aim(options.url, &target) : ZOMBIECTL_DONE;
    if (status != ZOMBIECTL_DONE)
        return status;
    precise.base = make_precise_base();
    if (precise.base == NULL)
        return refuse(ZOMBIECTL_FAILED, "chaos", strerror(ENOMEM));
    status = run_precisely(&precise, &options, &target);
    event_base_free(precise.base);
    return status;
}
