#include "config.h"

#include "herald/herald.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/log.h"
#include "conf/conf.h"
#include "herald/checks.h"
#include "herald/names.h"
#include "herald/resolver.h"

/* So long READY waits for names, half of the time that a boot may take at most. */
#define PATIENCE_MS 2000

/* So long the addresses of one family wait for those of the other. */
#define FAMILY_MS 500

struct herald {
    const struct herald_birth *birth;
    struct life *life;
    struct names *names;
    struct checks *checks;
    struct event *patience;
    bool ready;
};

bool herald_is_wanted(const struct conf *conf)
{
    return names_are_wanted(conf) || checks_are_wanted(conf);
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

static void on_names(void *arg)
{
    struct herald *herald = arg;
    checks_look(herald->checks);
    if (names_are_settled(herald->names))
        get_ready(herald);
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
    herald->ready = names_are_settled(herald->names);
    if (herald->ready)
        return 0;
    return event_add(herald->patience, &wait) == 0 ? LIFE_BEGINS_LATER : -ENOMEM;
}

/* What is under way is worth nothing once somebody else does it. */
static void drain(const struct http_drain *how, void *arg)
{
    (void)arg;
    how->done(how->arg);
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
                                               .patience_ms = FAMILY_MS};
    const struct names_settings settings = {.resolver = &resolver,
                                            .conf = birth->conf,
                                            .balancer = birth->balancer,
                                            .changed = on_names,
                                            .arg = herald};
    herald->patience = event_new(base, -1, 0, on_patience, herald);
    if (herald->patience == NULL)
        return -ENOMEM;
    err = names_new(&settings, &herald->names);
    return err != 0 ? err : checks_new(base, birth->conf, birth->balancer, &herald->checks);
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
    checks_free(herald.checks);
    names_free(herald.names);
    if (herald.patience != NULL)
        event_free(herald.patience);
    life_free(herald.life);
    return status;
}
