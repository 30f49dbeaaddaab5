#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/scoreboard.h"
#include "proxy/proxy.h"
#include "worker/chaos.h"

struct worker {
    const struct worker_birth *birth;
    struct life *life;
    struct http_server *server;
    struct proxy *proxy;
    struct event *death;
    enum chaos_mode mode; /* of the death that it brings */
    int64_t death_ms;     /* when it does; INT64_MAX: not at all */
};

static void die(struct worker *worker, enum chaos_mode mode)
{
    http_server_flush(worker->server);
    chaos_die(mode);
}

static void on_death(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    (void)fd;
    (void)what;
    if (worker->mode == CHAOS_EXIT)
        life_leave(worker->life, LEAVING_BY_CHAOS);
    else
        die(worker, worker->mode);
}

/* The master is told before it happens: afterwards nobody could say that it was meant. */
static void on_chaos(enum chaos_mode mode, uint32_t after_ms, const char *client, void *arg)
{
    struct worker *worker = arg;
    struct message message = {.type = MESSAGE_CHAOS};
    struct timeval delay = {after_ms / 1000, after_ms % 1000 * 1000};
    int64_t death_ms = clock_now_ms() + after_ms;
    message.chaos.mode = (uint8_t)mode;
    message.chaos.after_ms = after_ms;
    strncpy(message.chaos.client, client, sizeof message.chaos.client - 1);
    life_tell(worker->life, &message);
    if (after_ms == 0 && mode != CHAOS_EXIT && mode != CHAOS_HANG)
        die(worker, mode); /* before another connection is accepted */
    if (death_ms >= worker->death_ms)
        return; /* it will be dead by then */
    worker->death_ms = death_ms;
    worker->mode = mode;
    event_add(worker->death, &delay);
}

/* While a reload replaces the only one there are two, but not for long. */
static bool has_siblings(void *arg)
{
    const struct worker *worker = arg;
    struct scoreboard_instance instance;
    scoreboard_read_instance(worker->birth->scoreboard, &instance);
    return instance.strength > 1;
}

static int begin(void *arg)
{
    struct worker *worker = arg;
    const struct worker_birth *birth = worker->birth;
    int err = http_server_accept(worker->server, birth->listeners, birth->n_listeners);
    return err != 0 ? err : (int)birth->n_listeners;
}

static void drain(const struct http_drain *how, void *arg)
{
    struct worker *worker = arg;
    http_server_drain(worker->server, how);
}

static void move_access_log(int fd, void *arg)
{
    struct worker *worker = arg;
    http_server_move_access_log(worker->server, fd);
}

static int set_up(struct worker *worker)
{
    static const struct life_callbacks callbacks = {begin, drain, move_access_log};
    const struct worker_birth *birth = worker->birth;
    int err = life_new(&birth->life, &callbacks, worker, &worker->life);
    if (err != 0)
        return err;
    const struct proxy_settings proxying = {life_base(worker->life), birth->conf, birth->balancer,
                                            birth->place};
    err = proxy_new(&proxying, &worker->proxy);
    if (err != 0)
        return err;
    worker->death = event_new(life_base(worker->life), -1, 0, on_death, worker);
    if (worker->death == NULL)
        return -ENOMEM;
    struct http_server_settings settings = {
        .base = life_base(worker->life),
        .conf = birth->conf,
        .identity = life_identity(worker->life),
        .scoreboard = birth->life.scoreboard,
        .access_log_fd = birth->access_log_fd,
        .die = on_chaos,
        .is_shared = has_siblings,
        .arg = worker,
        .context = worker->proxy,
    };
    return http_server_new(&settings, &worker->server);
}

int worker_run(const struct worker_birth *birth)
{
    struct worker worker = {.birth = birth, .death_ms = INT64_MAX};
    int status = EX_OSERR;
    int err = set_up(&worker);
    if (err != 0)
        log_error("cannot start: %s", strerror(-err));
    else
        status = life_run(worker.life);
    http_server_free(worker.server);
    proxy_free(worker.proxy);
    if (worker.death != NULL)
        event_free(worker.death);
    life_free(worker.life);
    return status;
}
