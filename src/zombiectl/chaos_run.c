#include "config.h"

#include "zombiectl/chaos_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <event2/event.h>

#include "base/clock.h"
#include "control/client.h"
#include "zombiectl/chaos_killer.h"
#include "zombiectl/chaos_load.h"
#include "zombiectl/chaos_plan.h"
#include "zombiectl/chaos_report.h"
#include "zombiectl/member.h"
#include "zombiectl/say.h"
#include "zombiectl/talk.h"
#include "zombiectl/zombiectl.h"

#define TICK_US INT64_C(1000000)

/* How often to look whether the last requests are answered. */
#define ENDING_US 5000

/* How often to try to connect again. */
#define RETURN_US 100000

/*
 *   BEGINNING --status--> KILLING --the time is over--> SETTLING --all settled-> ENDING --> OVER
 *                            |  interrupted                ^  |  30 s              ^   idle
 *                            +-----------------------------+  +--------------------+
 *   disconnected: ENDING, unless an upgraded server is back in time; interrupted twice: OVER
 */
enum phase { BEGINNING, KILLING, SETTLING, ENDING, OVER };

enum timer { ON_KILL, ON_TICK, ON_DEADLINE, ON_RETURN, ON_INTERRUPT, ON_TERMINATE, TIMERS };

struct run {
    struct zombiectl *ctl;
    struct chaos_report *report;
    struct chaos_plan plan;
    struct chaos_killer *killer;
    struct chaos_load *load;
    struct event *timers[TIMERS];
    enum phase phase;
    int64_t begun_us;
    uint64_t number; /* of the next kill */
    uint64_t events; /* the question for them */
    int64_t seq;     /* of the last of them */
    int64_t cut_us;  /* since when there is no connection; 0: there is one */
    bool returned;   /* and to whom has not been said yet */
    char instance[64];
    int64_t upgrades; /* of this instance, that are known */
};

static void set_timer(struct run *run, enum timer timer, int64_t us)
{
    struct timeval delay = {.tv_sec = us > 0 ? us / 1000000 : 0,
                            .tv_usec = us > 0 ? us % 1000000 : 0};

    (void)event_add(run->timers[timer], &delay);
}

static int64_t elapsed_us(const struct run *run)
{
    return clock_now_us() - run->begun_us;
}

static void end(struct run *run)
{
    if (run->phase < ENDING)
        run->report->is_full = chaos_strength_is_full(&run->report->strength);
    run->phase = OVER;
    event_base_loopbreak(run->ctl->base);
}

static void begin_ending(struct run *run)
{
    run->phase = ENDING;
    run->report->is_full =
        !run->report->was_disconnected && chaos_strength_is_full(&run->report->strength);
    chaos_load_stop(run->load);
    set_timer(run, ON_DEADLINE, 0);
}

static void disconnect(struct run *run)
{
    if (run->phase >= ENDING)
        return;
    if (run->phase < SETTLING)
        run->report->took_ms = elapsed_us(run) / 1000;
    run->report->was_disconnected = true;
    event_del(run->timers[ON_KILL]);
    begin_ending(run);
}

/* What was asked will not be answered. An upgrade ends connections too, and is not the end. */
static void on_disconnect(void *arg)
{
    struct run *run = arg;

    if (run->phase == BEGINNING)
        disconnect(run);
    if (run->phase >= ENDING || run->cut_us != 0)
        return;
    run->cut_us = clock_now_us();
    chaos_killer_use(run->killer, NULL);
    set_timer(run, ON_RETURN, RETURN_US);
}

static void on_status(const json_t *line, bool is_last, void *arg);

static void ask_status(struct run *run)
{
    if (run->cut_us == 0 &&
        control_client_ask(run->ctl->client, "status", NULL, on_status, run) == 0)
        on_disconnect(run);
}

/* Whether it is the server that the run began with, which may have been upgraded meanwhile. */
static bool is_same(struct run *run, const json_t *status)
{
    const char *instance = member_text(status, "instance", "");
    int64_t upgrades = 0;

    (void)member_int(status, "upgrades", &upgrades);
    if (run->phase == BEGINNING) {
        (void)snprintf(run->instance, sizeof(run->instance), "%s", instance);
        run->upgrades = upgrades;
    }
    if (upgrades > run->upgrades)
        run->report->was_upgraded = true;
    else if (run->returned)
        return false;
    run->upgrades = upgrades;
    run->returned = false;
    return strcmp(run->instance, instance) == 0;
}

static void begin_settling(struct run *run)
{
    run->phase = SETTLING;
    run->report->took_ms = elapsed_us(run) / 1000;
    event_del(run->timers[ON_KILL]);
    set_timer(run, ON_DEADLINE, CHAOS_RECOVERY_MS * INT64_C(1000));
    ask_status(run);
}

/* Carry out what is due, and wait for what is next: a kill, or the end of the time. */
static void on_kill(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;
    struct chaos_kill kill;

    (void)fd;
    (void)what;
    while (run->phase == KILLING && chaos_plan_kill(&run->plan, run->number, &kill)) {
        if (kill.at_us > elapsed_us(run)) {
            set_timer(run, ON_KILL, kill.at_us - elapsed_us(run));
            return;
        }
        chaos_killer_kill(run->killer, kill.slot);
        run->number++;
    }
    if (run->phase != KILLING)
        return;
    if (run->plan.for_ms * 1000 > elapsed_us(run))
        set_timer(run, ON_KILL, run->plan.for_ms * 1000 - elapsed_us(run));
    else
        begin_settling(run);
}

static void on_status(const json_t *line, bool is_last, void *arg)
{
    struct run *run = arg;

    if (!is_last || run->phase >= ENDING)
        return;
    if (line == NULL) {
        on_disconnect(run);
        return;
    }
    if (!is_same(run, json_object_get(line, "result"))) {
        disconnect(run);
        return;
    }
    chaos_strength_learn(&run->report->strength, json_object_get(line, "result"), clock_now_us());
    if (run->phase == BEGINNING) {
        run->phase = KILLING;
        run->begun_us = clock_now_us();
        on_kill(-1, 0, run);
    } else if (run->phase == SETTLING && chaos_strength_is_settled(&run->report->strength)) {
        begin_ending(run);
    }
}

/* How many shall serve may have changed, or how the slots are counted. */
static bool changes_all(const char *event)
{
    return strcmp(event, "scale") == 0 || strcmp(event, "reloaded") == 0;
}

static void on_event(const json_t *line, bool is_last, void *arg)
{
    struct run *run = arg;
    const json_t *event = json_object_get(line, "event");

    if (is_last) {
        on_disconnect(run);
        return;
    }
    if (run->phase >= ENDING)
        return;
    (void)member_int(event, "seq", &run->seq);
    chaos_strength_hear(&run->report->strength, event, clock_now_us());
    if (changes_all(member_text(event, "event", "")) ||
        (run->phase == SETTLING && chaos_strength_is_settled(&run->report->strength)))
        ask_status(run);
}

static void show_progress(const struct run *run)
{
    const struct chaos_report *report = run->report;

    if (!run->ctl->error_terminal)
        return;
    say_progress(true,
                 "%.0f s of %g s: %" PRIu64 " kill%s, %" PRIu64 " held back; %" PRIu64
                 " requests, %" PRIu64 " lost; %" PRId64 " of %" PRId64 " serve",
                 (double)elapsed_us(run) / 1000000, (double)run->plan.for_ms / 1000, report->sent,
                 report->sent == 1 ? "" : "s", report->held_back, chaos_tally_sent(&report->tally),
                 chaos_tally_lost(&report->tally), chaos_strength_count(&report->strength),
                 report->strength.wanted);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;

    (void)fd;
    (void)what;
    show_progress(run);
    if (run->phase == SETTLING)
        ask_status(run);
    set_timer(run, ON_TICK, TICK_US);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;

    (void)fd;
    (void)what;
    if (run->phase == SETTLING)
        begin_ending(run);
    else if (chaos_load_is_idle(run->load))
        end(run);
    else
        set_timer(run, ON_DEADLINE, ENDING_US);
}

static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;

    (void)fd;
    (void)what;
    if (run->phase == KILLING && !run->report->was_interrupted)
        begin_settling(run);
    else
        end(run);
    run->report->was_interrupted = true;
}

/* The events come before the status: what happens in between is not missed. False: in vain. */
static bool ask_all(struct run *run)
{
    json_t *arguments = json_pack("{s:b, s:I}", "follow", 1, "since", (json_int_t)run->seq);

    run->events = control_client_ask(run->ctl->client, "events", arguments, on_event, run);
    return run->events != 0 &&
           control_client_ask(run->ctl->client, "status", NULL, on_status, run) != 0;
}

static void on_return(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;
    struct zombiectl *ctl = run->ctl;

    (void)fd;
    (void)what;
    if (run->phase >= ENDING)
        return;
    talk_close(ctl);
    run->returned = true;
    if (control_client_connect(ctl->base, ctl->socket_path, &ctl->client) == 0 && ask_all(run)) {
        chaos_killer_use(run->killer, ctl->client);
        run->cut_us = 0;
    } else if (clock_now_us() - run->cut_us > TALK_GONE_MS * INT64_C(1000)) {
        disconnect(run);
    } else {
        set_timer(run, ON_RETURN, RETURN_US);
    }
}

static bool add_events(struct run *run)
{
    struct event_base *base = run->ctl->base;

    run->timers[ON_KILL] = evtimer_new(base, on_kill, run);
    run->timers[ON_TICK] = evtimer_new(base, on_tick, run);
    run->timers[ON_DEADLINE] = evtimer_new(base, on_deadline, run);
    run->timers[ON_RETURN] = evtimer_new(base, on_return, run);
    run->timers[ON_INTERRUPT] = evsignal_new(base, SIGINT, on_interrupt, run);
    run->timers[ON_TERMINATE] = evsignal_new(base, SIGTERM, on_interrupt, run);
    for (int i = 0; i < TIMERS; i++) {
        if (run->timers[i] == NULL)
            return false;
    }
    set_timer(run, ON_TICK, TICK_US);
    return evsignal_add(run->timers[ON_INTERRUPT], NULL) == 0 &&
           evsignal_add(run->timers[ON_TERMINATE], NULL) == 0;
}

static void clear(struct run *run)
{
    for (int i = 0; i < TIMERS; i++) {
        if (run->timers[i] != NULL)
            event_free(run->timers[i]);
    }
    chaos_load_free(run->load);
    chaos_killer_free(run->killer);
    say_no_progress();
}

int chaos_run(struct zombiectl *ctl, const struct chaos_options *options,
              const struct chaos_target *target, unsigned slots, int64_t seq,
              struct chaos_report *report)
{
    struct run run = {
        .ctl = ctl,
        .report = report,
        .plan = {.seed = (uint64_t)options->seed,
                 .rate = options->rate,
                 .for_ms = options->for_ms,
                 .slots = slots},
        .begun_us = clock_now_us(),
        .seq = seq,
    };
    const struct chaos_killer_settings killing = {
        .client = ctl->client, .report = report, .disconnected = on_disconnect, .arg = &run};
    int r;

    report->options = options;
    r = chaos_killer_new(&killing, &run.killer);
    if (r == 0)
        r = chaos_load_new(ctl->base, target, &report->tally, (size_t)options->connections,
                           &run.load);
    if (r == 0 && !add_events(&run))
        r = -ENOMEM;
    if (r == 0 && !ask_all(&run))
        r = -EPIPE;
    while (r == 0 && run.phase != OVER)
        r = event_base_loop(ctl->base, EVLOOP_ONCE) < 0 ? -EIO : 0;
    if (ctl->client != NULL)
        control_client_forget(ctl->client, run.events);
    clear(&run);
    return r;
}
