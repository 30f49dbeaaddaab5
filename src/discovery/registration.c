#include "config.h"

#include "discovery/registration.h"

void registration_init(struct registration *registration, const struct registration_rule *rule,
                       int64_t now_ms)
{
    *registration = (struct registration){.rule = rule,
                                          .wanted = DRIVER_STARTING,
                                          .told = DRIVER_STARTING,
                                          .due_ms = now_ms,
                                          .idle_since_ms = INT64_MAX};
}

/* --- What is to be told ------------------------------------------------------------ */

static void note_idle(struct registration *registration, int64_t now_ms)
{
    if (registration->wanted != DRIVER_UP)
        return;
    if (registration->idle_since_ms == INT64_MAX)
        registration->idle_since_ms = now_ms;
    if (now_ms - registration->idle_since_ms >= registration->rule->down_delay_ms)
        registration->wanted = DRIVER_DOWN;
}

void registration_set_serving(struct registration *registration, unsigned n, int64_t now_ms)
{
    if (registration->is_leaving)
        return;
    if (n == 0) {
        note_idle(registration, now_ms);
        return;
    }
    registration->wanted = DRIVER_UP;
    registration->idle_since_ms = INT64_MAX;
}

/* A change of status does not wait for the next heartbeat, but for the end of a back-off. */
static bool has_news(const struct registration *registration)
{
    return registration->is_known && registration->failures == 0 &&
           registration->told != registration->wanted;
}

static enum driver_task task_at_work(const struct registration *registration)
{
    if (!registration->is_known)
        return DRIVER_REGISTER;
    return registration->told != registration->wanted ? DRIVER_REPORT : DRIVER_HEARTBEAT;
}

/* Who may not be known any more is told to go at once. */
static enum driver_task task_at_leave(const struct registration *registration)
{
    return registration->is_known && registration->told != DRIVER_DOWN ? DRIVER_REPORT
                                                                       : DRIVER_DEREGISTER;
}

bool registration_next(struct registration *registration, int64_t now_ms,
                       enum driver_task *ret_task, enum driver_status *ret_status)
{
    if (registration->busy || registration->is_closed || registration_due_ms(registration) > now_ms)
        return false;
    registration->task =
        registration->is_leaving ? task_at_leave(registration) : task_at_work(registration);
    if (registration->task == DRIVER_REGISTER)
        registration->is_tried = true;
    registration->busy = true;
    registration->told = registration->wanted;
    *ret_task = registration->task;
    *ret_status = registration->told;
    return true;
}

int64_t registration_due_ms(const struct registration *registration)
{
    if (registration->busy || registration->is_closed)
        return INT64_MAX;
    return has_news(registration) ? INT64_MIN : registration->due_ms;
}

/* --- What has become of it ---------------------------------------------------------- */

static void back_off(struct registration *registration, double dice, int64_t now_ms)
{
    registration->failures++;
    registration->due_ms =
        now_ms + backoff_ms(&registration->rule->backoff, registration->failures, dice);
}

static void succeed(struct registration *registration, int64_t now_ms)
{
    registration->failures = 0;
    registration->is_known = true;
    registration->due_ms = now_ms + registration->rule->heartbeat_ms;
}

/* Somebody who is forgotten at once whenever it registers has to wait as well. */
static void begin_again(struct registration *registration, double dice, int64_t now_ms)
{
    bool is_first = registration->failures == 0 && registration->is_known;
    back_off(registration, dice, now_ms);
    if (is_first)
        registration->due_ms = now_ms;
    registration->is_known = false;
}

static void wait_for_rights(struct registration *registration, int64_t now_ms)
{
    registration->failures++;
    registration->is_known = false;
    registration->due_ms = now_ms + registration->rule->denied_ms;
}

/* There is one try of each: DOWN, and then good-bye. */
static enum registration_advice go_on_leaving(struct registration *registration,
                                              enum driver_outcome outcome, int64_t now_ms)
{
    registration->is_known = false;
    registration->due_ms = now_ms;
    if (registration->task == DRIVER_DEREGISTER)
        registration->is_closed = true;
    return outcome == DRIVER_UNREACHABLE ? REGISTRATION_TRY_NEXT_SERVER : REGISTRATION_GO_ON;
}

static enum registration_advice fail(struct registration *registration, enum driver_outcome outcome,
                                     double dice, int64_t now_ms)
{
    switch (outcome) {
    case DRIVER_FORGOTTEN:
        begin_again(registration, dice, now_ms);
        return REGISTRATION_GO_ON;
    case DRIVER_DENIED:
    case DRIVER_REJECTED:
        wait_for_rights(registration, now_ms);
        return REGISTRATION_GO_ON;
    default:
        registration->is_known = false;
        back_off(registration, dice, now_ms);
        return REGISTRATION_TRY_NEXT_SERVER;
    }
}

enum registration_advice registration_done(struct registration *registration,
                                           enum driver_outcome outcome, double dice, int64_t now_ms)
{
    bool has_left = registration->task == DRIVER_DEREGISTER;
    registration->busy = false;
    if (registration->is_leaving &&
        (has_left || outcome != DRIVER_DONE || registration->task == DRIVER_REPORT))
        return go_on_leaving(registration, outcome, now_ms);
    if (outcome != DRIVER_DONE)
        return fail(registration, outcome, dice, now_ms);
    succeed(registration, now_ms);
    if (registration->is_leaving)
        registration->due_ms = now_ms;
    return REGISTRATION_GO_ON;
}

enum registration_advice registration_broken(struct registration *registration,
                                             enum driver_outcome outcome, double dice,
                                             int64_t now_ms)
{
    enum registration_advice advice;
    registration->busy = false;
    if (registration->is_leaving)
        return go_on_leaving(registration, outcome, now_ms);
    advice = fail(registration, outcome, dice, now_ms);
    return advice == REGISTRATION_GO_ON ? REGISTRATION_OPEN_AGAIN : advice;
}

void registration_leave(struct registration *registration, int64_t now_ms)
{
    registration->is_leaving = true;
    registration->wanted = DRIVER_DOWN;
    registration->due_ms = now_ms;
    registration->is_closed = !registration->is_tried;
}
