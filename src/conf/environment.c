/*
 * Environment variables to assignments. An empty variable says nothing, so
 * that a container can switch one off.
 */
#include "config.h"

#include <stdlib.h>
#include <strings.h>

#include "base/address.h"
#include "base/number.h"
#include "conf/fail.h"
#include "conf/list.h"
#include "conf/registry.h"
#include "conf/schema.h"
#include "conf/source.h"

struct variable {
    const char *name;
    int (*set)(const struct conf_source *source, const struct variable *variable,
               const char *value);
    const char *section; /* for set_key() */
    const char *key;
};

static struct conf_origin origin_of(const struct variable *variable)
{
    return (struct conf_origin){CONF_LAYER_ENVIRONMENT, variable->name, NULL};
}

static int set_key(const struct conf_source *source, const struct variable *variable,
                   const char *value)
{
    struct conf_name name = {.section = conf_section_find(variable->section), .key = variable->key};

    return conf_assignments_set(source->list, name, origin_of(variable), value);
}

static int set_registry_urls(const struct conf_source *source, const struct variable *variable,
                             const char *value)
{
    struct conf_name name = {.section = conf_section_find(variable->section), .key = variable->key};
    struct conf_list urls = {NULL, 0};
    int rc = conf_list_split(&urls, value, CONF_LIST_TEXTS);

    if (rc == 0 && urls.n == 0)
        rc = conf_fail(source->error, variable->name, "there is no URL in it");
    if (rc == 0)
        rc = conf_assignments_add(source->list, name, origin_of(variable));
    for (size_t i = 0; rc == 0 && i < urls.n; i++)
        rc = conf_assignments_add_value(source->list, urls.items[i]);
    conf_list_clear(&urls);
    return rc;
}

/* Others who read the variable call Eureka by its maker's name as well. */
static int set_registry_type(const struct conf_source *source, const struct variable *variable,
                             const char *value)
{
    const char *type = strcasecmp(value, "NETFLIX_EUREKA") == 0 ? "eureka" : value;

    for (size_t i = 0; conf_registry_types[i] != NULL; i++)
        if (strcasecmp(conf_registry_types[i], type) == 0)
            return set_key(source, variable, conf_registry_types[i]);
    return conf_fail(source->error, variable->name,
                     "'%.100s' is not one of NETFLIX_EUREKA, EUREKA, CONSUL, ETCD, ZOOKEEPER, "
                     "DISTRIBUTOR, NONE",
                     value);
}

static int set_listeners(const struct conf_source *source, const struct variable *variable,
                         const char *value)
{
    struct conf_name name = {.section = conf_section_find("listen")};
    struct conf_list titles = {NULL, 0};
    int rc = conf_list_split(&titles, value, CONF_LIST_WORDS);

    if (rc == 0 && titles.n == 0)
        rc = conf_fail(source->error, variable->name, "there is no address in '%.100s'", value);
    for (size_t i = 0; rc == 0 && i < titles.n; i++) {
        name.title = titles.items[i];
        rc = conf_assignments_add(source->list, name, origin_of(variable));
    }
    conf_list_clear(&titles);
    return rc;
}

/* The index of the first TCP listener of those that count so far, or -1; sets *ret_address. */
static ssize_t find_tcp_listener(const struct conf_assignments *list, struct address *ret_address)
{
    const struct conf_section *section = conf_section_find("listen");
    enum conf_layer layer =
        conf_assignments_naming_layer(list, (struct conf_name){.section = section});
    const char *why;

    for (size_t i = 0; i < list->n; i++) {
        const struct conf_assignment *item = &list->items[i];

        if (item->name.section == section && item->name.key == NULL &&
            item->origin.layer == layer &&
            address_parse(item->name.title, ret_address, &why) == 0 &&
            address_port(ret_address) >= 0)
            return (ssize_t)i;
    }
    return -1;
}

static int set_port(const struct conf_source *source, const struct variable *variable,
                    const char *value)
{
    struct address address;
    char title[ADDRESS_TEXT_SIZE];
    ssize_t index;
    long port;

    if (number_parse(value, 0, 65535, &port) < 0)
        return conf_fail(source->error, variable->name, "'%.100s' is not a port from 0 to 65535",
                         value);
    index = find_tcp_listener(source->list, &address);
    if (index < 0)
        return conf_fail(source->error, variable->name,
                         "there is no TCP listener whose port it could be");
    address_set_port(&address, (unsigned)port);
    address_format(&address, title);
    return conf_assignments_rename(source->list, (size_t)index, title, variable->name);
}

/* PORT comes last: it changes what the others made. */
static const struct variable variables[] = {
    {"ZOMBIE_LISTEN", set_listeners, NULL, NULL},
    {"ZOMBIE_WORKERS", set_key, "instance", "workers"},
    {"ZOMBIE_CONTAINERS", set_key, "instance", "containers"},
    {"ZOMBIE_CHAOS", set_key, "chaos", "enabled"},
    {"ZOMBIE_CONTROL", set_key, "control", "socket"},
    {"ZOMBIE_ADMIN", set_key, "admin", "listen"},
    {"ZOMBIE_ADMIN_TOKEN", set_key, "admin", "token"},
    {"REGISTRY_TYPE", set_registry_type, "registry", "type"},
    {"REGISTRY_URL", set_registry_urls, "registry", "url"},
    {"REGISTRY_USER", set_key, "registry", "user"},
    {"REGISTRY_PASSWORD", set_key, "registry", "password"},
    {"PORT", set_port, NULL, NULL},
};

int conf_source_environment(const struct conf_source *source)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i].name);

        if (value != NULL && value[0] != '\0')
            rc = variables[i].set(source, &variables[i], value);
    }
    return rc;
}
