#include "config.h"

#include "discovery/driver.h"

const char *driver_status_name(enum driver_status status)
{
    static const char *const names[DRIVER_STATUSES] = {
        [DRIVER_STARTING] = "STARTING", [DRIVER_UP] = "UP", [DRIVER_DOWN] = "DOWN"};
    return (unsigned)status < DRIVER_STATUSES ? names[status] : "unknown";
}

const struct driver *driver_of(enum conf_registry_type type)
{
    switch (type) {
    case CONF_REGISTRY_EUREKA:
        return &driver_eureka;
    case CONF_REGISTRY_CONSUL:
        return &driver_consul;
    case CONF_REGISTRY_ETCD:
        return &driver_etcd;
    case CONF_REGISTRY_DISTRIBUTOR:
        return &driver_distributor;
#ifdef HAVE_ZOOKEEPER
    case CONF_REGISTRY_ZOOKEEPER:
        return &driver_zookeeper;
#endif
    default:
        return NULL;
    }
}
