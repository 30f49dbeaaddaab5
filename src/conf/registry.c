#include "config.h"

#include "conf/registry.h"

#include <assert.h>

const char *const conf_registry_types[] = {"none",      "eureka",      "consul", "etcd",
                                           "zookeeper", "distributor", NULL};

static_assert(sizeof(conf_registry_types) / sizeof(conf_registry_types[0]) ==
                  CONF_REGISTRY_TYPES + 1,
              "in the order of enum conf_registry_type");

const char *conf_registry_type_name(enum conf_registry_type type)
{
    return conf_registry_types[type];
}

static const char *unless_empty(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

const char *conf_registry_user(const struct conf_registry *registry, const struct registry_url *url)
{
    return url->user != NULL ? url->user : unless_empty(registry->user);
}

const char *conf_registry_password(const struct conf_registry *registry,
                                   const struct registry_url *url)
{
    return url->password != NULL ? url->password : unless_empty(registry->password);
}
