#include "config.h"

#include "cluster/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cluster/listener.h"
#include "conf/conf.h"

struct item {
    struct listener *listener;
    bool spread;
};

struct listeners {
    size_t n;
    struct item *items;
};

int listeners_new(size_t n, struct listeners **ret_listeners)
{
    struct listeners *listeners = calloc(1, sizeof *listeners);
    if (listeners == NULL)
        return -ENOMEM;
    listeners->items = calloc(n + 1, sizeof *listeners->items);
    if (listeners->items == NULL) {
        listeners_free(listeners);
        return -ENOMEM;
    }
    *ret_listeners = listeners;
    return 0;
}

void listeners_add(struct listeners *listeners, struct listener *listener, bool spread)
{
    listeners->items[listeners->n++] = (struct item){listener, spread};
}

static bool has(const struct listeners *listeners, const struct listener *listener)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->items[i].listener == listener)
            return true;
    return false;
}

/*
 * Two listeners may have the same address in the configuration: port 0. Each is
 * taken once, and rather for what it is already.
 */
static const struct item *claim(const struct listeners *pool, const struct listeners *taken,
                                const struct conf_listen *conf)
{
    const struct item *found = NULL;
    bool spread = conf->accept == CONF_ACCEPT_REUSEPORT;
    for (size_t i = 0; pool != NULL && i < pool->n; i++) {
        const struct item *item = &pool->items[i];
        if (address_equal(listener_address(item->listener), &conf->address) &&
            !has(taken, item->listener) && listener_check(item->listener) &&
            (found == NULL || (found->spread != spread && item->spread == spread)))
            found = item;
    }
    return found;
}

static void take_over(struct listeners *listeners, const struct item *item,
                      const struct conf_listen *conf)
{
    bool wanted = conf->accept == CONF_ACCEPT_REUSEPORT;
    if (wanted && !item->spread)
        log_warning("listen \"%s\": accept = reuseport, but the socket that is open was not made "
                    "for it: all workers share it until another one is opened",
                    conf->title);
    listeners_add(listeners, listener_hold(item->listener), wanted && item->spread);
}

static int open_one(struct listeners *listeners, const struct conf_listen *conf)
{
    struct listener *listener;
    int err = listener_open(conf, &listener);
    if (err == 0)
        listeners_add(listeners, listener, conf->accept == CONF_ACCEPT_REUSEPORT);
    return err;
}

/* Another instance is in its right to be there; whatever else it is, somebody has to mend it. */
static void tell_absence(const struct conf_listen *conf, int err)
{
    const char *obstacle = err == -EADDRINUSE ? listener_find_obstacle(&conf->address) : NULL;
    if (obstacle != NULL)
        log_warning("cannot listen on %s: there is %s in its place, remove it and reload; "
                    "going on without",
                    conf->title, obstacle);
    else if (err == -EADDRINUSE)
        log_info("cannot listen on %s: another instance does, going on without", conf->title);
    else
        log_warning("cannot listen on %s: %s, going on without", conf->title, strerror(-err));
}

/* What is optional may fail; what everybody expects may not. */
static int obtain(struct listeners *listeners, const struct listeners *pool,
                  const struct conf_listen *conf, bool optional, char error[LISTENERS_ERROR_SIZE])
{
    const struct item *item = claim(pool, listeners, conf);
    if (item != NULL) {
        take_over(listeners, item, conf);
        return 0;
    }
    int err = open_one(listeners, conf);
    if (err == 0)
        return 0;
    if (!optional) {
        snprintf(error, LISTENERS_ERROR_SIZE, "cannot listen on %s: %s", conf->title,
                 strerror(-err));
        return err;
    }
    tell_absence(conf, err);
    return 0;
}

int listeners_open(const struct purpose_listens *wanted, const struct listeners *pool,
                   struct listeners **ret_listeners, char error[LISTENERS_ERROR_SIZE])
{
    struct listeners *listeners;
    int err = listeners_new(wanted->n, &listeners);
    if (err != 0) {
        snprintf(error, LISTENERS_ERROR_SIZE, "out of memory");
        return err;
    }
    for (size_t i = 0; err == 0 && i < wanted->n; i++)
        err = obtain(listeners, pool, &wanted->items[i], wanted->optional, error);
    if (err != 0) {
        listeners_free(listeners);
        return err;
    }
    *ret_listeners = listeners;
    return 0;
}

void listeners_grow(const struct listeners *listeners, unsigned n, uint64_t since)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->items[i].spread && listener_count(listeners->items[i].listener) < n)
            listener_grow(listeners->items[i].listener, n, since);
}

void listeners_apply(const struct listeners *listeners, const struct purpose_listens *wanted)
{
    for (size_t i = 0; i < listeners->n && i < wanted->n; i++)
        listener_apply(listeners->items[i].listener, &wanted->items[i]);
}

void listeners_check(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        listener_check(listeners->items[i].listener);
}

bool listeners_have_unshared(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listener_is_unshared(listeners->items[i].listener))
            return true;
    return false;
}

static size_t share_out(const struct item *item, struct share share, int *fds)
{
    size_t n = 0, count = listener_count(item->listener);
    for (size_t i = 0; i < count; i++)
        if (!item->spread || share_has(share, i))
            fds[n++] = listener_fd(item->listener, i);
    if (n == 0 && count > 0)
        fds[n++] = listener_fd(item->listener, share_first(share, count));
    return n;
}

int listeners_share(const struct listeners *listeners, struct share share, size_t room,
                    int **ret_fds, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < listeners->n; i++)
        n += listener_count(listeners->items[i].listener);
    int *fds = calloc(n + room + 1, sizeof *fds);
    if (fds == NULL)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < listeners->n; i++)
        n += share_out(&listeners->items[i], share, fds + n);
    *ret_fds = fds;
    *ret_n = n;
    return 0;
}

static bool lacks(const struct listener *listener, struct share wanted, struct share has,
                  uint64_t worker)
{
    for (size_t i = 0; i < listener_count(listener); i++)
        if (share_has(wanted, i) && (!share_has(has, i) || worker <= listener_since(listener, i)))
            return true;
    return false;
}

bool listeners_lack(const struct listeners *listeners, struct share wanted, struct share has,
                    uint64_t worker)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->items[i].spread && lacks(listeners->items[i].listener, wanted, has, worker))
            return true;
    return false;
}

bool listeners_find_tcp(const struct listeners *listeners, struct address *ret_address)
{
    for (size_t i = 0; listeners != NULL && i < listeners->n; i++) {
        const struct listener *listener = listeners->items[i].listener;
        if (address_port(listener_address(listener)) < 0)
            continue;
        *ret_address = listener_real_address(listener);
        return true;
    }
    return false;
}

const struct listener *listeners_at(const struct listeners *listeners, size_t i)
{
    return i < listeners->n ? listeners->items[i].listener : NULL;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        listener_close(listeners->items[i].listener);
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    for (size_t i = 0; i < listeners->n; i++)
        listener_release(listeners->items[i].listener);
    free(listeners->items);
    free(listeners);
}
