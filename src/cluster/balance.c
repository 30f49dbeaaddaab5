#include "config.h"

#include "cluster/balance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "conf/upstream.h"
#include "proxy/balancer.h"

/* A lock is held for microseconds, unless somebody has stopped the process that has it. */
#define RETRY_MS 10

/* --- Two configurations as one ------------------------------------------------- */

/* The upstreams of both; what is in them is borrowed, but for lists of servers that were joined. */
struct joint {
    struct conf conf;
    struct conf_server **lists; /* as many as upstreams; NULL: not joined */
};

static bool has_server(const struct conf_upstream *upstream, const char *title)
{
    for (size_t i = 0; i < upstream->n_servers; i++)
        if (strcmp(upstream->servers[i].title, title) == 0)
            return true;
    return false;
}

/* Returns the list of servers, allocated; NULL: out of memory. */
static struct conf_server *join_servers(struct conf_upstream *upstream,
                                        const struct conf_upstream *other)
{
    struct conf_server *list = calloc(upstream->n_servers + other->n_servers + 1, sizeof *list);
    size_t n = upstream->n_servers;
    if (list == NULL)
        return NULL;
    if (n > 0)
        memcpy(list, upstream->servers, n * sizeof *list);
    for (size_t i = 0; i < other->n_servers; i++)
        if (!has_server(upstream, other->servers[i].title))
            list[n++] = other->servers[i];
    upstream->servers = list;
    upstream->n_servers = n;
    return list;
}

static void joint_clear(struct joint *joint)
{
    for (size_t i = 0; joint->lists != NULL && i < joint->conf.n_upstreams; i++)
        free(joint->lists[i]);
    free(joint->lists);
    free(joint->conf.upstreams);
}

static int add_others(struct joint *joint, const struct conf *current, const struct conf *next)
{
    struct conf *conf = &joint->conf;
    for (size_t i = 0; i < current->n_upstreams; i++) {
        struct conf_upstream *upstream = &conf->upstreams[conf->n_upstreams];
        *upstream = current->upstreams[i];
        const struct conf_upstream *other = conf_upstream_find(next, upstream->title);
        if (other != NULL) {
            joint->lists[conf->n_upstreams] = join_servers(upstream, other);
            if (joint->lists[conf->n_upstreams] == NULL)
                return -ENOMEM;
        }
        conf->n_upstreams++;
    }
    for (size_t i = 0; i < next->n_upstreams; i++)
        if (conf_upstream_find(current, next->upstreams[i].title) == NULL)
            conf->upstreams[conf->n_upstreams++] = next->upstreams[i];
    return 0;
}

/* What stands in both is as the current one has it: it serves while the other one boots. */
static int join(const struct conf *current, const struct conf *next, struct joint *ret_joint)
{
    size_t n = current->n_upstreams + next->n_upstreams + 1;
    struct joint joint = {.lists = calloc(n, sizeof *joint.lists)};
    joint.conf.upstreams = calloc(n, sizeof *joint.conf.upstreams);
    int err = joint.lists != NULL && joint.conf.upstreams != NULL ? 0 : -ENOMEM;
    if (err == 0)
        err = add_others(&joint, current, next);
    if (err == 0)
        *ret_joint = joint;
    else
        joint_clear(&joint);
    return err;
}

/* --- The balancer ---------------------------------------------------------------- */

int balance_new(struct master *master, const struct conf *conf)
{
    int err = balancer_new(table_size(), &master->balancer);
    if (err == 0)
        err = balancer_apply(master->balancer, conf, clock_now_ms());
    if (err != 0)
        log_error("the upstreams cannot be shared: %s", strerror(-err));
    return err;
}

/* Who is dead may not have been buried by the predecessor. */
static void look_for_remains(struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        master->slots[i].remains = !slot_is_alive(master->slots[i].state);
}

int balance_adopt(struct master *master, const struct conf *conf, int fd)
{
    int err = fd >= 0 ? balancer_adopt(fd, table_size(), &master->balancer) : -EBADF;
    if (err == 0) {
        look_for_remains(master);
        return 0;
    }
    if (fd >= 0) {
        log_warning("the state of the upstreams cannot be kept (%s), it begins anew",
                    strerror(-err));
        close(fd);
    }
    return balance_new(master, conf);
}

static int apply_both(const struct master *master)
{
    struct joint joint;
    int err = join(master->conf, master->reload.next->conf, &joint);
    if (err != 0)
        return err;
    err = balancer_apply(master->balancer, &joint.conf, clock_now_ms());
    joint_clear(&joint);
    return err;
}

const char *balance_try(struct master *master)
{
    int err = apply_both(master);
    master->balance = err == -EAGAIN ? BALANCE_TRY : BALANCE_DONE;
    if (err == 0 || err == -EAGAIN)
        return NULL;
    log_error("the upstreams of both generations cannot be shared: %s", strerror(-err));
    return "there is no room for the upstreams of both generations";
}

/* Without room for something that has come, it is left out until what it waits for has gone. */
void balance_settle(struct master *master)
{
    int err = balancer_apply(master->balancer, master->conf, clock_now_ms());
    if (err != 0 && err != -EAGAIN && master->balance != BALANCE_SETTLE)
        log_warning("not all upstreams can be shared: %s, trying again", strerror(-err));
    master->balance = err != 0 ? BALANCE_SETTLE : BALANCE_DONE;
}

void balance_bury(struct slot *slot)
{
    struct master *master = slot->master;
    slot->remains = !balancer_bury(master->balancer, (unsigned)(slot - master->slots));
}

void balance_step(struct master *master)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].remains)
            balance_bury(&master->slots[i]);
    if (master->balance == BALANCE_SETTLE)
        balance_settle(master);
    else if (master->balance == BALANCE_TRY && balance_try(master) != NULL)
        master->reload.failed = true;
}

bool balance_is_behind(const struct master *master)
{
    return master->balance != BALANCE_DONE;
}

int64_t balance_due_ms(const struct master *master, int64_t now_ms)
{
    bool due = master->balance != BALANCE_DONE;
    for (size_t i = 0; !due && i < master->n_slots; i++)
        due = master->slots[i].remains;
    return due ? now_ms + RETRY_MS : INT64_MAX;
}
