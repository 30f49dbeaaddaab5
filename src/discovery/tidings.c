#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "discovery/discovery_state.h"

void tidings_count(struct discovery *discovery, enum directory_count what)
{
    directory_add(discovery->settings.directory, what);
}

/* --- What the directory says of us --------------------------------------------------- */

static enum directory_state state_of(const struct discovery *discovery)
{
    const struct registration *registration = &discovery->registration;
    if (!discovery->enrolls)
        return DIRECTORY_OFF;
    if (discovery->settings.refusal != NULL)
        return DIRECTORY_RETRYING;
    if (registration->is_closed)
        return DIRECTORY_GONE;
    if (registration->is_leaving)
        return DIRECTORY_LEAVING;
    if (registration->failures > 0)
        return DIRECTORY_RETRYING;
    return registration->is_known ? DIRECTORY_REGISTERED : DIRECTORY_REGISTERING;
}

void tidings_publish(struct discovery *discovery)
{
    struct directory_registration *told = &discovery->told;
    told->state = state_of(discovery);
    told->status = discovery->registration.told;
    told->retry_ms = discovery->registration.due_ms;
    snprintf(told->url, sizeof told->url, "%s", discovery_url(discovery));
    directory_set_registration(discovery->settings.directory, told);
}

/* --- What the log says ----------------------------------------------------------------- */

static void log_done(const struct discovery *discovery)
{
    const char *status = driver_status_name(discovery->registration.told);
    const char *name = discovery->driver->name;
    switch (discovery->registration.task) {
    case DRIVER_REGISTER:
        log_info("registered with %s at %s as %s, %s", name, discovery_url(discovery),
                 discovery->record.instance_id, status);
        break;
    case DRIVER_REPORT:
        log_info("told %s that this instance is %s", name, status);
        break;
    case DRIVER_DEREGISTER:
        log_info("deregistered from %s", name);
        break;
    default:
        break;
    }
}

static const char *advice_on(enum driver_outcome outcome)
{
    if (outcome == DRIVER_DENIED)
        return "serving goes on; look at registry.user and its password; ";
    if (outcome == DRIVER_REJECTED)
        return "serving goes on; look at the section registry; ";
    return "serving goes on; ";
}

static const char *const attempts[DRIVER_TASKS] = {
    [DRIVER_REGISTER] = "cannot register with",
    [DRIVER_HEARTBEAT] = "cannot send a heartbeat to",
    [DRIVER_REPORT] = "cannot report the status to",
    [DRIVER_DEREGISTER] = "cannot deregister from",
};

static void log_failure(const struct discovery *discovery, const char *url,
                        enum driver_outcome outcome, const char *why, int64_t now_ms)
{
    const struct registration *registration = &discovery->registration;
    int64_t wait_ms = registration->due_ms > now_ms ? registration->due_ms - now_ms : 0;
    const char *name = discovery->driver->name;
    if (registration->is_leaving)
        log_warning("cannot deregister from %s at %s: %s", name, url, why);
    else if (outcome == DRIVER_FORGOTTEN)
        log_warning("%s at %s does not know this instance any more: %s, registering again in "
                    "%" PRId64 " ms",
                    name, url, why, wait_ms);
    else if (outcome == DRIVER_DENIED || outcome == DRIVER_REJECTED)
        log_error("%s at %s refuses this instance: %s; %strying again in %" PRId64 " ms", name, url,
                  why, advice_on(outcome), wait_ms);
    else if (backoff_is_told(registration->failures))
        log_warning("%s %s at %s: %s; %strying %s in %" PRId64 " ms", attempts[registration->task],
                    name, url, why, advice_on(outcome),
                    discovery->conf->n_urls > 1 ? discovery_url(discovery) : "again", wait_ms);
}

void tidings_bad(struct discovery *discovery, const char *url, enum driver_outcome outcome,
                 const char *why, int64_t now_ms)
{
    tidings_count(discovery,
                  outcome == DRIVER_FORGOTTEN ? DIRECTORY_FORGOTTEN : DIRECTORY_FAILURES);
    snprintf(discovery->told.error, sizeof discovery->told.error, "%s", why);
    log_failure(discovery, url, outcome, why, now_ms);
}

void tidings_good(struct discovery *discovery)
{
    enum driver_task task = discovery->registration.task;
    discovery->told.error[0] = '\0';
    discovery->told.heard_ms = clock_wall_ms();
    if (task == DRIVER_REGISTER)
        tidings_count(discovery, DIRECTORY_REGISTRATIONS);
    else if (task == DRIVER_HEARTBEAT)
        tidings_count(discovery, DIRECTORY_HEARTBEATS);
    log_done(discovery);
}

void tidings_heard(struct discovery *discovery)
{
    discovery->told.error[0] = '\0';
    discovery->told.heard_ms = clock_wall_ms();
    tidings_publish(discovery);
}

void tidings_lost(struct discovery *discovery, const char *why)
{
    snprintf(discovery->told.error, sizeof discovery->told.error, "%s", why);
    tidings_publish(discovery);
}
