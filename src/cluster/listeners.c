#include "config.h"

#include "cluster/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cluster/listener.h"
#include "conf/conf.h"

struct listeners {
    size_t n;
    struct listener **items;
    int *fds;
    bool closed;
};

int listeners_new(size_t n, struct listeners **ret_listeners)
{
    struct listeners *listeners = calloc(1, sizeof *listeners);
    if (listeners == NULL)
        return -ENOMEM;
    listeners->items = calloc(n + 1, sizeof(struct listener *));
    listeners->fds = calloc(n + 1, sizeof *listeners->fds);
    if (listeners->items == NULL || listeners->fds == NULL) {
        listeners_free(listeners);
        return -ENOMEM;
    }
    *ret_listeners = listeners;
    return 0;
}

void listeners_add(struct listeners *listeners, struct listener *listener)
{
    listeners->fds[listeners->n] = listener_fd(listener);
    listeners->items[listeners->n++] = listener;
}

static bool has(const struct listeners *listeners, const struct listener *listener)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->items[i] == listener)
            return true;
    return false;
}

/* Two listeners may have the same address in the configuration: port 0. Each is taken once. */
static struct listener *claim(const struct listeners *pool, const struct listeners *taken,
                              const struct address *address)
{
    for (size_t i = 0; pool != NULL && i < pool->n; i++)
        if (address_equal(listener_address(pool->items[i]), address) &&
            !has(taken, pool->items[i]) && listener_check(pool->items[i]))
            return listener_hold(pool->items[i]);
    return NULL;
}

int listeners_open(const struct conf *conf, const struct listeners *pool,
                   struct listeners **ret_listeners)
{
    struct listeners *listeners;
    int err = listeners_new(conf->n_listens, &listeners);
    if (err != 0)
        return err;
    for (size_t i = 0; i < conf->n_listens; i++) {
        struct listener *listener = claim(pool, listeners, &conf->listens[i].address);
        if (listener == NULL)
            err = listener_open(&conf->listens[i], &listener);
        if (err != 0) {
            log_error("cannot listen on %s: %s", conf->listens[i].title, strerror(-err));
            listeners_free(listeners);
            return err;
        }
        listeners_add(listeners, listener);
    }
    *ret_listeners = listeners;
    return 0;
}

void listeners_apply(const struct listeners *listeners, const struct conf *conf)
{
    for (size_t i = 0; i < listeners->n; i++)
        listener_apply(listeners->items[i], &conf->listens[i]);
}

void listeners_check(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        listener_check(listeners->items[i]);
}

bool listeners_have_unshared(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listener_is_unshared(listeners->items[i]))
            return true;
    return false;
}

const int *listeners_fds(const struct listeners *listeners, size_t *ret_n)
{
    *ret_n = listeners->closed ? 0 : listeners->n;
    return listeners->fds;
}

const struct listener *listeners_at(const struct listeners *listeners, size_t i)
{
    return i < listeners->n ? listeners->items[i] : NULL;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        listener_close(listeners->items[i]);
    listeners->closed = true;
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    for (size_t i = 0; i < listeners->n; i++)
        listener_release(listeners->items[i]);
    free(listeners->items);
    free(listeners->fds);
    free(listeners);
}
