#include "config.h"

#include "cluster/activated.h"

#include <errno.h>
#include <stdbool.h>

#include "base/address.h"
#include "base/log.h"
#include "cluster/launch.h"
#include "cluster/listener.h"
#include "cluster/listeners.h"
#include "conf/conf.h"
#include "host/activation.h"

static bool is_wanted(const struct conf *conf, const struct address *address)
{
    for (size_t i = 0; i < conf->n_listens; i++)
        if (address_equal(&conf->listens[i].address, address))
            return true;
    return false;
}

/* The service manager made the file of a unix socket, and will remove it. */
static int take_one(const struct conf *conf, int fd, struct listeners *listeners)
{
    static const struct listener_file not_ours = {0, 0};
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    struct listener *listener;
    int err = activation_address(fd, &address);
    if (err != 0)
        return err;
    address_format(&address, text);
    if (!is_wanted(conf, &address)) {
        log_error("LISTEN_FDS: descriptor %d listens on %s, which no listen section names: add "
                  "listen \"%s\" {} to the configuration or remove it from the socket unit",
                  fd, text, text);
        return -EADDRNOTAVAIL;
    }
    err = listener_adopt(fd, &address, not_ours, &listener);
    if (err != 0)
        return err;
    log_info("listening on %s%s, passed by the service manager",
             address_port(&address) >= 0 ? "http://" : "", text);
    listeners_add(listeners, listener, listener_is_joinable(listener));
    return 0;
}

int activated_take(const struct launch *launch, const struct conf *conf,
                   struct listeners **ret_listeners)
{
    struct listeners *listeners;
    int err = listeners_new(launch->n_sockets, &listeners);
    if (err != 0)
        return err;
    for (size_t i = 0; i < launch->n_sockets && err == 0; i++)
        err = take_one(conf, launch->first_socket + (int)i, listeners);
    if (err != 0) {
        listeners_free(listeners);
        return err;
    }
    *ret_listeners = listeners;
    return 0;
}
