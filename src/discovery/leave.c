/*
 * How discovery comes to an end. The instance stops: the registry is told. Another generation
 * serves: its herald registers the same, and this one goes when that is done; or it does not, and
 * then this one deregisters. A signal has told this process alone, as far as it knows: that may
 * still turn out to be a stop of all.
 */
#include "config.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "discovery/discovery_state.h"

/* Who signals the whole group of processes (systemd.kill(5)) may reach the herald first. */
#define DOUBT_MS 250

/* How often a successor is looked for. */
#define LOOK_MS 25

static void go_on_in(struct discovery *discovery, long wait_ms)
{
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (event_add(discovery->left_event, &wait) != 0)
        discovery_end(discovery);
}

static void deregister(struct discovery *discovery)
{
    discovery->leaving = LEAVING_DEREGISTERS;
    registration_leave(&discovery->registration, clock_now_ms());
    tidings_publish(discovery);
    discovery_wake(discovery);
    go_on_in(discovery, discovery->conf->deregister_timeout_ms);
}

/*
 * One that has said nothing yet has the key 0, and where there is none the registration is off.
 * One that registers something else is waited for, too: what both have the same name for in the
 * registry would be gone for a moment.
 */
static void look_for_successor(struct discovery *discovery)
{
    struct directory_registration now;
    directory_read_registration(discovery->settings.directory, &now);
    bool is_over = (now.key != 0 && now.state == DIRECTORY_REGISTERED) ||
                   clock_now_ms() >= discovery->patience_ms;
    bool is_other = now.key != 0 && now.key != discovery->identity.key;
    if (now.state == DIRECTORY_OFF || (is_over && is_other))
        deregister(discovery);
    else if (is_over)
        discovery_end(discovery);
    else
        go_on_in(discovery, LOOK_MS);
}

static void give_up(struct discovery *discovery)
{
    log_warning("%s at %s has not answered within %ld ms, leaving without having deregistered",
                discovery->driver->name, discovery_url(discovery),
                discovery->conf->deregister_timeout_ms);
    discovery_end(discovery);
}

static void hand_over(struct discovery *discovery)
{
    discovery->leaving = LEAVING_HANDS_OVER;
    discovery->patience_ms = clock_now_ms() + discovery->conf->deregister_timeout_ms;
    look_for_successor(discovery);
}

/* By now the master has said to whom the directory belongs. */
static void find_out(struct discovery *discovery)
{
    const struct discovery_settings *settings = &discovery->settings;
    if (settings->stopping(settings->arg))
        deregister(discovery);
    else if (directory_is_owned(settings->directory))
        discovery_end(discovery);
    else
        hand_over(discovery);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    static void (*const steps[])(struct discovery * discovery) = {
        [LEAVING_IN_DOUBT] = find_out,
        [LEAVING_HANDS_OVER] = look_for_successor,
        [LEAVING_DEREGISTERS] = give_up,
    };
    struct discovery *discovery = arg;
    (void)fd;
    (void)what;
    steps[discovery->leaving](discovery);
}

static void doubt(struct discovery *discovery)
{
    discovery->leaving = LEAVING_IN_DOUBT;
    go_on_in(discovery, DOUBT_MS);
}

void discovery_leave(struct discovery *discovery, bool stopping, void (*done)(void *arg), void *arg)
{
    const struct discovery_settings *settings = &discovery->settings;
    discovery->left = done;
    discovery->left_arg = arg;
    /* A stop may follow a reload: it is told to leave twice. */
    bool waits = discovery_registers(discovery) && settings->refusal == NULL;
    if (waits && discovery->left_event == NULL)
        discovery->left_event = event_new(settings->base, -1, 0, on_time, discovery);
    if (discovery->left_event == NULL)
        discovery_end(discovery);
    else if (stopping || settings->stopping(settings->arg))
        deregister(discovery);
    else if (directory_is_owned(settings->directory))
        doubt(discovery);
    else
        hand_over(discovery);
}
