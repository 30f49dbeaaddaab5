#include "config.h"

#include "discovery/discovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/address.h"
#include "conf/conf.h"
#include "discovery/discovery_state.h"

/* How often the number of serving workers is looked at; and whether the generation serves. */
#define LOOK_MS 250
#define WAIT_MS 25

/* Between tries when the registry says no, which no hurry changes. */
#define DENIED_MS 60000

/* Without memory for a session. */
#define OPEN_AGAIN_MS 1000

bool discovery_is_wanted(const struct conf *conf)
{
    return conf->registry.type != CONF_REGISTRY_NONE;
}

const char *discovery_url(const struct discovery *discovery)
{
    return discovery->conf->urls[discovery->server].text;
}

void discovery_wake(struct discovery *discovery)
{
    event_active(discovery->turn, EV_TIMEOUT, 0);
}

/* --- One turn ----------------------------------------------------------------------------- */

static bool is_due(const struct discovery *discovery, int64_t now_ms)
{
    if (discovery_registers(discovery) && registration_due_ms(&discovery->registration) <= now_ms)
        return true;
    return !discovery->registration.is_leaving && discovery->hold_ms <= now_ms &&
           lookups_count(discovery->lookups) > 0;
}

static bool has_session(struct discovery *discovery, int64_t now_ms)
{
    if (discovery->session != NULL)
        return true;
    if (discovery->settings.refusal != NULL)
        return false;
    if (discovery->hold_ms > now_ms && !discovery->registration.is_leaving)
        return false;
    if (!is_due(discovery, now_ms))
        return false;
    int err = session_open(discovery);
    if (err == 0)
        return true;
    log_warning("cannot speak with %s at %s: %s, trying again in %d ms", discovery->driver->name,
                discovery_url(discovery), strerror(-err), OPEN_AGAIN_MS);
    discovery->hold_ms = now_ms + OPEN_AGAIN_MS;
    return false;
}

static void begin_task(struct discovery *discovery, int64_t now_ms)
{
    struct driver_record *record = &discovery->record;
    enum driver_status status;
    enum driver_task task;
    if (!registration_next(&discovery->registration, now_ms, &task, &status))
        return;
    if (task != DRIVER_HEARTBEAT) {
        uint64_t wall_ms = (uint64_t)clock_wall_ms();
        record->stamp_ms = wall_ms > record->stamp_ms ? wall_ms : record->stamp_ms + 1;
    }
    record->status = status;
    tidings_publish(discovery);
    discovery->driver->begin(discovery->session, task, record);
}

static void work(struct discovery *discovery, int64_t now_ms)
{
    const char *service;
    if (!has_session(discovery, now_ms))
        return;
    if (discovery_registers(discovery))
        begin_task(discovery, now_ms);
    while (!discovery->registration.is_leaving &&
           (service = lookups_next(discovery->lookups, now_ms)) != NULL)
        discovery->driver->follow(discovery->session, service);
}

static void await_next(struct discovery *discovery, int64_t now_ms)
{
    int64_t due_ms = lookups_due_ms(discovery->lookups);
    if (discovery_registers(discovery))
        due_ms = clock_sooner_ms(due_ms, registration_due_ms(&discovery->registration));
    if (discovery->settings.refusal != NULL)
        due_ms = lookups_save_due_ms(discovery->lookups);
    else if (discovery->session == NULL && due_ms < discovery->hold_ms)
        due_ms = discovery->hold_ms;
    if (due_ms == INT64_MAX)
        return;
    int64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    event_add(discovery->turn, &wait);
}

void discovery_end(struct discovery *discovery)
{
    void (*left)(void *arg) = discovery->left;
    discovery->is_over = true;
    discovery->left = NULL;
    event_del(discovery->turn);
    event_del(discovery->look);
    lookups_save(discovery->lookups);
    session_close(discovery);
    if (discovery->left_event != NULL)
        event_del(discovery->left_event);
    left(discovery->left_arg);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct discovery *discovery = arg;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    if (discovery->is_over)
        return;
    if (discovery->ends_session)
        session_close(discovery);
    if (discovery->registration.is_closed) {
        discovery_end(discovery);
        return;
    }
    lookups_step(discovery->lookups, now_ms);
    work(discovery, now_ms);
    await_next(discovery, now_ms);
    discovery->settings.settled(discovery->settings.arg);
}

/* --- Whose generation serves ----------------------------------------------------------------- */

static bool is_local(const char *host)
{
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    const char *why;
    address_join(host, 1, text, sizeof text);
    return strcmp(host, "localhost") == 0 ||
           (address_parse(text, &address, &why) == 0 && address_is_local(&address));
}

static void warn_of_loopback(const struct discovery *discovery)
{
    if (is_local(discovery->identity.host) && !is_local(discovery->conf->urls[0].host))
        log_warning("others are told %s, which only this machine can reach: let it listen on "
                    "another address, or set registry.advertise_host",
                    discovery->identity.host);
}

/* The master has given the directory to this process: its generation serves. */
static void take_over(struct discovery *discovery)
{
    int64_t now_ms = clock_now_ms();
    discovery->owns = true;
    registration_init(&discovery->registration, &discovery->rule, now_ms);
    if (discovery->settings.refusal != NULL)
        snprintf(discovery->told.error, sizeof discovery->told.error, "%s",
                 discovery->settings.refusal);
    tidings_publish(discovery);
    lookups_publish(discovery->lookups, now_ms);
    if (discovery->enrolls)
        warn_of_loopback(discovery);
    discovery_wake(discovery);
}

static void look_again(struct discovery *discovery)
{
    long wait_ms = discovery->owns ? LOOK_MS : WAIT_MS;
    const struct timeval wait = {0, wait_ms * 1000};
    if (!discovery->owns || discovery->enrolls)
        event_add(discovery->look, &wait);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct discovery *discovery = arg;
    const struct discovery_settings *settings = &discovery->settings;
    struct registration *registration = &discovery->registration;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    if (!discovery->owns && directory_is_owned(settings->directory))
        take_over(discovery);
    look_again(discovery);
    if (!discovery_registers(discovery))
        return;
    registration_set_serving(registration, settings->serving(settings->arg), now_ms);
    if (registration_due_ms(registration) <= now_ms)
        discovery_wake(discovery);
}

/* --- From begin to end ---------------------------------------------------------------------- */

static struct driver_record make_record(const struct identity *identity)
{
    return (struct driver_record){.app = identity->app,
                                  .instance_id = identity->id,
                                  .host = identity->host,
                                  .port = identity->port,
                                  .routes = &identity->routes};
}

static struct registration_rule make_rule(const struct conf_registry *conf,
                                          const struct driver *driver)
{
    return (struct registration_rule){.heartbeat_ms = conf->heartbeat_ms,
                                      .down_delay_ms = conf->down_delay_ms,
                                      .denied_ms = DENIED_MS,
                                      .backoff = driver->backoff};
}

static struct directory_registration make_told(const struct identity *identity)
{
    struct directory_registration told = {.key = identity->key, .port = identity->port};
    memcpy(told.app, identity->app, sizeof told.app);
    memcpy(told.instance_id, identity->id, sizeof told.instance_id);
    memcpy(told.host, identity->host, sizeof told.host);
    return told;
}

static int make_parts(struct discovery *discovery)
{
    const struct discovery_settings *settings = &discovery->settings;
    const struct lookups_settings lookups = {.conf = settings->conf,
                                             .directory = settings->directory,
                                             .backoff = &discovery->driver->backoff,
                                             .changed = settings->changed,
                                             .arg = settings->arg};
    discovery->turn = event_new(settings->base, -1, 0, on_turn, discovery);
    discovery->look = event_new(settings->base, -1, 0, on_look, discovery);
    if (discovery->turn == NULL || discovery->look == NULL)
        return -ENOMEM;
    int err = identity_make(settings->conf, settings->listener, &discovery->identity);
    return err != 0 ? err : lookups_new(&lookups, &discovery->lookups);
}

int discovery_new(const struct discovery_settings *settings, struct discovery **ret_discovery)
{
    const struct driver *driver = driver_of(settings->conf->registry.type);
    struct discovery *discovery = calloc(1, sizeof *discovery);
    if (driver == NULL || discovery == NULL) {
        free(discovery);
        return driver == NULL ? -ENOTSUP : -ENOMEM;
    }
    discovery->settings = *settings;
    discovery->conf = &settings->conf->registry;
    discovery->driver = driver;
    int err = make_parts(discovery);
    if (err != 0) {
        discovery_free(discovery);
        return err;
    }
    discovery->record = make_record(&discovery->identity);
    discovery->rule = make_rule(discovery->conf, driver);
    discovery->told = make_told(&discovery->identity);
    discovery->enrolls = discovery->conf->enroll && discovery->identity.port > 0;
    *ret_discovery = discovery;
    return 0;
}

void discovery_begin(struct discovery *discovery)
{
    int64_t now_ms = clock_now_ms();
    if (discovery->conf->enroll && !discovery->enrolls)
        log_error("nothing is registered: there is no TCP listener; set registry.advertise_port");
    registration_init(&discovery->registration, &discovery->rule, now_ms);
    if (!directory_is_owned(discovery->settings.directory))
        lookups_publish(discovery->lookups, now_ms);
    on_look(-1, 0, discovery);
    discovery_wake(discovery);
}

bool discovery_is_settled(const struct discovery *discovery)
{
    if (discovery->settings.refusal != NULL)
        return true;
    return (!discovery_registers(discovery) || discovery->is_tried) &&
           lookups_are_settled(discovery->lookups);
}

void discovery_free(struct discovery *discovery)
{
    if (discovery == NULL)
        return;
    session_close(discovery);
    if (discovery->owes_turn)
        event_base_loop(discovery->settings.base, EVLOOP_NONBLOCK);
    lookups_free(discovery->lookups);
    identity_clear(&discovery->identity);
    if (discovery->turn != NULL)
        event_free(discovery->turn);
    if (discovery->look != NULL)
        event_free(discovery->look);
    if (discovery->left_event != NULL)
        event_free(discovery->left_event);
    free(discovery);
}
