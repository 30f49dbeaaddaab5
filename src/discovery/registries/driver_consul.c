#include "config.h"

#include "discovery/registries/consul_wire.h"
#include "discovery/registries/rest.h"

static int open_session(const struct driver_settings *settings, void **ret_session)
{
    return rest_open(&consul_wire, settings, ret_session);
}

const struct driver driver_consul = {
    .name = "consul",
    .backoff = {.first_ms = 1000, .max_ms = 30000},
    .open = open_session,
    .begin = rest_begin,
    .follow = rest_follow,
    .close = rest_close,
};
