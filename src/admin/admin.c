#include "config.h"

#include "admin/admin.h"

#include <string.h>
#include <sysexits.h>

#include "admin/site.h"
#include "base/log.h"

struct admin {
    const struct admin_birth *birth;
    struct life *life;
    struct admin_site *site;
};

static int begin(void *arg)
{
    struct admin *admin = arg;
    const struct admin_birth *birth = admin->birth;
    int err = admin_site_accept(admin->site, birth->listeners, birth->n_listeners);
    return err != 0 ? err : (int)birth->n_listeners;
}

static void drain(const struct http_drain *how, void *arg)
{
    struct admin *admin = arg;
    admin_site_drain(admin->site, how);
}

/* After an upgrade, for one: only a successor can speak to the master again. */
static void on_lost(void *arg)
{
    struct admin *admin = arg;
    life_leave(admin->life, LEAVING_CUT_OFF);
}

static int set_up(struct admin *admin)
{
    static const struct life_callbacks callbacks = {begin, drain, NULL};
    const struct admin_birth *birth = admin->birth;
    int err = life_new(&birth->life, &callbacks, admin, &admin->life);
    if (err != 0)
        return err;
    struct admin_site_settings settings = {
        .base = life_base(admin->life),
        .conf = birth->conf,
        .scoreboard = birth->scoreboard,
        .balancer = birth->balancer,
        .directory = birth->directory,
        .identity = life_identity(admin->life),
        .control_fd = birth->control_fd,
        .lost = on_lost,
        .arg = admin,
    };
    return admin_site_new(&settings, &admin->site);
}

int admin_run(const struct admin_birth *birth)
{
    struct admin admin = {.birth = birth};
    int status = EX_OSERR;
    int err = set_up(&admin);
    if (err != 0)
        log_error("cannot start: %s", strerror(-err));
    else
        status = life_run(admin.life);
    admin_site_free(admin.site);
    life_free(admin.life);
    return status;
}
