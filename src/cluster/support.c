#include "config.h"

#include "cluster/support.h"

#include <errno.h>
#include <stdbool.h>

#include "conf/assignments.h"
#include "conf/fail.h"
#include "conf/schema.h"
#include "discovery/driver.h"
#include "discovery/tls_client.h"

/* Where the key of the section registry is set. */
static const char *place_of(const struct conf *conf, const char *key)
{
    struct conf_name name = {.section = conf_section_find("registry"), .key = key};
    const struct conf_assignment *winner = conf_assignments_winner(conf->assignments, name);
    return winner != NULL ? winner->origin.where : NULL;
}

static bool wants_tls(const struct conf_registry *registry)
{
    for (size_t i = 0; i < registry->n_urls; i++)
        if (registry->urls[i].is_tls)
            return true;
    return false;
}

/* Certificates that make no sense would be found by the herald only, when it begins. */
static int check_certificates(const struct conf *conf, char error[CONF_ERROR_SIZE])
{
    const struct conf_registry *registry = &conf->registry;
    const struct tls_client_settings settings = {registry->ca_file, registry->cert_file,
                                                 registry->key_file};
    const char *key = registry->ca_file[0] != '\0' ? "ca_file" : "cert_file";
    char why[TLS_CLIENT_WHY_SIZE];
    struct tls_client *client = NULL;
    int err = tls_client_new(&settings, why, &client);
    tls_client_free(client);
    return err == -EINVAL ? conf_fail(error, place_of(conf, key), "registry: %s", why) : err;
}

int support_check(const struct conf *conf, char error[CONF_ERROR_SIZE])
{
    const struct conf_registry *registry = &conf->registry;
    enum conf_registry_type type = (enum conf_registry_type)registry->type;
    error[0] = '\0';
    if (type != CONF_REGISTRY_NONE && driver_of(type) == NULL)
        return conf_fail(error, place_of(conf, "type"),
                         "registry.type: this program was built without the library for %s",
                         conf_registry_type_name(type));
    for (size_t i = 0; i < registry->n_urls && !tls_client_is_built(); i++)
        if (registry->urls[i].is_tls)
            return conf_fail(error, place_of(conf, "url"),
                             "registry.url: %.300s: this program was built without OpenSSL, and "
                             "so without https",
                             registry->urls[i].text);
    if (wants_tls(registry) && (registry->ca_file[0] != '\0' || registry->cert_file[0] != '\0'))
        return check_certificates(conf, error);
    return 0;
}
