#include "config.h"

#include <errno.h>

#include <event2/dns.h>

#include "base/clock.h"
#include "base/dice.h"
#include "discovery/discovery_state.h"
#include "host/name_servers.h"

/* --- What sessions say ------------------------------------------------------------------ */

/* Another name server only after all of the registry: the first may be the only one that knows
 * their names, and one of them may be away. */
static void try_next_server(struct discovery *discovery)
{
    discovery->ends_session = true;
    if (discovery->conf->n_urls > 1)
        tidings_count(discovery, DIRECTORY_FAILOVERS);
    discovery->server = (discovery->server + 1) % discovery->conf->n_urls;
    if (discovery->server == 0)
        discovery->dns_turn++;
}

static void take_advice(struct discovery *discovery, enum registration_advice advice)
{
    if (advice == REGISTRATION_TRY_NEXT_SERVER)
        try_next_server(discovery);
    else if (advice == REGISTRATION_OPEN_AGAIN)
        discovery->ends_session = true;
    discovery->hold_ms = discovery->registration.due_ms;
}

static void on_done(enum driver_outcome outcome, const char *why, void *arg)
{
    struct discovery *discovery = arg;
    const char *url = discovery_url(discovery);
    int64_t now_ms = clock_now_ms();
    if (discovery->is_over || discovery->ends_session)
        return;
    discovery->is_tried = true;
    enum registration_advice advice =
        registration_done(&discovery->registration, outcome, dice_throw(), now_ms);
    if (advice != REGISTRATION_GO_ON)
        take_advice(discovery, advice);
    if (outcome == DRIVER_DONE)
        tidings_good(discovery);
    else
        tidings_bad(discovery, url, outcome, why, now_ms);
    tidings_publish(discovery);
    discovery_wake(discovery);
}

/* Who leaves takes no more members. */
static bool is_deaf(const struct discovery *discovery)
{
    return discovery->is_over || discovery->ends_session || discovery->registration.is_leaving;
}

static void on_found(const char *service, const struct member *members, size_t n, void *arg)
{
    struct discovery *discovery = arg;
    if (is_deaf(discovery))
        return;
    discovery->broken = 0;
    if (!discovery->enrolls)
        tidings_heard(discovery);
    lookups_found(discovery->lookups, service, members, n, clock_now_ms());
    discovery_wake(discovery);
}

/* A registration that goes well speaks for the server; without one look-ups decide. */
static void on_lost(const char *service, enum driver_outcome outcome, const char *why, void *arg)
{
    struct discovery *discovery = arg;
    if (is_deaf(discovery))
        return;
    lookups_lost(discovery->lookups, service, why, dice_throw(), clock_now_ms());
    if (!discovery->enrolls)
        tidings_lost(discovery, why);
    if (!discovery->enrolls && outcome == DRIVER_UNREACHABLE)
        try_next_server(discovery);
    discovery_wake(discovery);
}

static void hold_on(struct discovery *discovery, int64_t now_ms)
{
    discovery->broken++;
    discovery->hold_ms =
        now_ms + backoff_ms(&discovery->driver->backoff, discovery->broken, dice_throw());
}

static void on_broken(enum driver_outcome outcome, const char *why, void *arg)
{
    struct discovery *discovery = arg;
    const char *url = discovery_url(discovery);
    int64_t now_ms = clock_now_ms();
    if (discovery->is_over || discovery->ends_session)
        return;
    discovery->is_tried = true;
    if (discovery->enrolls) {
        take_advice(discovery,
                    registration_broken(&discovery->registration, outcome, dice_throw(), now_ms));
    } else {
        try_next_server(discovery);
        hold_on(discovery, now_ms);
    }
    tidings_bad(discovery, url, outcome, why, now_ms);
    tidings_publish(discovery);
    discovery_wake(discovery);
}

/* --- Sessions ----------------------------------------------------------------------------- */

void session_close(struct discovery *discovery)
{
    discovery->ends_session = false;
    if (discovery->session == NULL)
        return;
    discovery->driver->close(discovery->session);
    discovery->session = NULL;
    evdns_base_free(discovery->dns, 1);
    discovery->dns = NULL;
    discovery->owes_turn = true;
    lookups_end_session(discovery->lookups, clock_now_ms());
}

int session_open(struct discovery *discovery)
{
    const struct discovery_settings *settings = &discovery->settings;
    discovery->dns = name_servers_new(settings->base, "/etc/resolv.conf", discovery->dns_turn);
    if (discovery->dns == NULL)
        return -ENOMEM;
    evdns_base_load_hosts(discovery->dns, "/etc/hosts");
    const struct driver_settings driver = {.base = settings->base,
                                           .dns = discovery->dns,
                                           .conf = discovery->conf,
                                           .url = &discovery->conf->urls[discovery->server],
                                           .tls = settings->tls,
                                           .done = on_done,
                                           .found = on_found,
                                           .lost = on_lost,
                                           .broken = on_broken,
                                           .arg = discovery};
    int err = discovery->driver->open(&driver, &discovery->session);
    if (err != 0) {
        evdns_base_free(discovery->dns, 0);
        discovery->dns = NULL;
        discovery->session = NULL;
    }
    return err;
}
