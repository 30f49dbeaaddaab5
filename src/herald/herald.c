#include "config.h"

#include "herald/herald.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "discovery/discovery.h"
#include "herald/checks.h"
#include "herald/found.h"
#include "herald/names.h"
#include "herald/resolver.h"
#include "ipc/scoreboard.h"
#include "life/crew.h"

/* So long READY waits for names, half of the time that a boot may take at most. */
#define PATIENCE_MS 2000

/* So long the addresses of one family wait for those of the other. */
#define FAMILY_MS 500

/* So long the first name server is spared when another had to be asked. */
#define DETOUR_MS 60000

struct herald {
    const struct herald_birth *birth;
    struct life *life;
    struct names *names;
    struct checks *checks;
    struct found *found;
    struct discovery *discovery; /* NULL: there is no registry */
    struct event *patience;
    bool ready;
};

bool herald_is_wanted(const struct conf *conf)
{
    return names_are_wanted(conf) || checks_are_wanted(conf) || discovery_is_wanted(conf);
}

static bool needs_tls(const struct conf_registry *registry)
{
    for (size_t i = 0; i < registry->n_urls; i++)
        if (registry->urls[i].is_tls)
            return true;
    return false;
}

int herald_prepare(const struct conf *conf, struct tls_client **ret_tls,
                   char why[TLS_CLIENT_WHY_SIZE])
{
    const struct conf_registry *registry = &conf->registry;
    const struct tls_client_settings settings = {registry->ca_file, registry->cert_file,
                                                 registry->key_file};
    *ret_tls = NULL;
    int err = needs_tls(registry) ? tls_client_new(&settings, why, ret_tls) : 0;
    if (err != 0 && err != -EINVAL)
        snprintf(why, TLS_CLIENT_WHY_SIZE, "%s", strerror(-err));
    if (err != 0)
        log_error("registry: %s; nothing is registered or looked up until a herald is born that "
                  "can read it, as after a reload",
                  why);
    return err;
}

/* Those who are born with it find the addresses then that they need. */
static void get_ready(struct herald *herald)
{
    if (herald->ready)
        return;
    herald->ready = true;
    event_del(herald->patience);
    life_ready(herald->life, 0);
}

static bool is_settled(const struct herald *herald)
{
    return names_are_settled(herald->names) &&
           (herald->discovery == NULL || discovery_is_settled(herald->discovery));
}

static void on_settled(void *arg)
{
    struct herald *herald = arg;
    if (is_settled(herald))
        get_ready(herald);
}

/* The balancer may know of more servers than before. */
static void on_servers(void *arg)
{
    struct herald *herald = arg;
    checks_look(herald->checks);
    on_settled(herald);
}

static void on_members(const char *service, const struct member *members, size_t n, void *arg)
{
    struct herald *herald = arg;
    found_take(herald->found, service, members, n);
}

static unsigned count_serving(void *arg)
{
    const struct herald *herald = arg;
    struct crew crew;
    crew_read(herald->birth->scoreboard, clock_now_ms(), 0, &crew);
    return crew.serving;
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    get_ready(arg);
}

static int begin(void *arg)
{
    struct herald *herald = arg;
    long wait_ms = herald->birth->conf->instance.boot_timeout_ms / 2;
    if (wait_ms > PATIENCE_MS)
        wait_ms = PATIENCE_MS;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};
    names_begin(herald->names);
    checks_look(herald->checks);
    if (herald->discovery != NULL)
        discovery_begin(herald->discovery);
    herald->ready = is_settled(herald);
    if (herald->ready)
        return 0;
    return event_add(herald->patience, &wait) == 0 ? LIFE_BEGINS_LATER : -ENOMEM;
}

/* What is under way is worth nothing once somebody else does it; but a registry is told. */
static void drain(const struct http_drain *how, void *arg)
{
    const struct herald *herald = arg;
    if (herald->discovery == NULL)
        how->done(how->arg);
    else
        discovery_leave(herald->discovery, how->stopping, how->done, how->arg);
}

static bool is_stopping(void *arg)
{
    const struct herald *herald = arg;
    struct scoreboard_instance instance;
    scoreboard_read_instance(herald->birth->scoreboard, &instance);
    return instance.condition == SCOREBOARD_STOPPING;
}

static int set_up_discovery(struct herald *herald)
{
    const struct herald_birth *birth = herald->birth;
    struct event_base *base = life_base(herald->life);
    const struct found_settings found = {.base = base,
                                         .conf = birth->conf,
                                         .balancer = birth->balancer,
                                         .names = herald->names,
                                         .changed = on_servers,
                                         .arg = herald};
    const struct discovery_settings settings = {.base = base,
                                                .conf = birth->conf,
                                                .directory = birth->directory,
                                                .tls = birth->tls,
                                                .refusal = birth->tls_refusal,
                                                .listener = birth->listener,
                                                .serving = count_serving,
                                                .stopping = is_stopping,
                                                .changed = on_members,
                                                .settled = on_settled,
                                                .arg = herald};
    if (!discovery_is_wanted(birth->conf))
        return 0;
    int err = found_new(&found, &herald->found);
    return err != 0 ? err : discovery_new(&settings, &herald->discovery);
}

static int set_up(struct herald *herald)
{
    static const struct life_callbacks callbacks = {begin, drain, NULL};
    const struct herald_birth *birth = herald->birth;
    int err = life_new(&birth->life, &callbacks, herald, &herald->life);
    if (err != 0)
        return err;
    struct event_base *base = life_base(herald->life);
    const struct resolver_settings resolver = {.base = base,
                                               .resolv_conf = "/etc/resolv.conf",
                                               .hosts = "/etc/hosts",
                                               .patience_ms = FAMILY_MS,
                                               .detour_ms = DETOUR_MS};
    const struct names_settings settings = {.resolver = &resolver,
                                            .conf = birth->conf,
                                            .balancer = birth->balancer,
                                            .changed = on_servers,
                                            .arg = herald};
    herald->patience = event_new(base, -1, 0, on_patience, herald);
    if (herald->patience == NULL)
        return -ENOMEM;
    err = names_new(&settings, &herald->names);
    if (err == 0)
        err = checks_new(base, birth->conf, birth->balancer, &herald->checks);
    return err != 0 ? err : set_up_discovery(herald);
}

int herald_run(const struct herald_birth *birth)
{
    struct herald herald = {.birth = birth};
    int status = EX_OSERR;
    int err = set_up(&herald);
    if (err != 0)
        log_error("cannot start: %s", strerror(-err));
    else
        status = life_run(herald.life);
    discovery_free(herald.discovery);
    found_free(herald.found);
    checks_free(herald.checks);
    names_free(herald.names);
    if (herald.patience != NULL)
        event_free(herald.patience);
    life_free(herald.life);
    return status;
}
