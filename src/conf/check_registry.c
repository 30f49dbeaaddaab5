#include "config.h"

#include "conf/check_registry.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "conf/endpoint.h"
#include "conf/fail.h"
#include "conf/registry_url.h"
#include "conf/schema.h"

#define KEY_CHARS                                                    \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
    "_.-"

static struct conf_name name_of(const char *key)
{
    return (struct conf_name){.section = conf_section_find("registry"), .key = key};
}

static const char *place_of(const struct conf_source *source, const char *key)
{
    return conf_check_place(source, name_of(key));
}

/* A type of none that somebody has said switches the section off; one that nobody has, is missing.
 */
static int check_type(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;
    const char *key = registry->url.n > 0 ? "url" : "watch";

    if (registry->type != CONF_REGISTRY_NONE && registry->url.n == 0)
        return conf_fail(source->error, place_of(source, "type"),
                         "registry.type: %s needs the URL of a server: set registry.url or "
                         "REGISTRY_URL",
                         conf_registry_type_name((enum conf_registry_type)registry->type));
    if (conf_assignments_winner(source->list, name_of("type")) != NULL ||
        (registry->url.n == 0 && registry->watch.n == 0))
        return 0;
    return conf_fail(source->error, place_of(source, key),
                     "registry.%s: of which kind is the registry? Set registry.type or "
                     "REGISTRY_TYPE",
                     key);
}

static int check_urls(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;

    for (size_t i = 0; i < registry->n_urls; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(registry->urls[i].text, registry->urls[j].text) == 0)
                return conf_fail(source->error, place_of(source, "url"),
                                 "registry.url: %.300s stands there twice", registry->urls[i].text);
    return 0;
}

/* Servers of an ensemble have the same nodes: with two paths there would be two registries. */
static int check_paths(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;

    for (size_t i = 1; registry->type == CONF_REGISTRY_ZOOKEEPER && i < registry->n_urls; i++)
        if (strcmp(registry->urls[i].path, registry->urls[0].path) != 0)
            return conf_fail(source->error, place_of(source, "url"),
                             "registry.url: %.300s and %.300s: all servers of an ensemble have the "
                             "same path: write it after each",
                             registry->urls[0].text, registry->urls[i].text);
    return 0;
}

/* What goes into header fields and digests. */
static int check_secrets(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;
    bool has_any = registry->user[0] != '\0' || registry->password[0] != '\0';
    const char *file = registry->password_file;

    if (!utf8_is_printable(registry->user, strlen(registry->user)) ||
        strchr(registry->user, ':') != NULL)
        return conf_fail(source->error, place_of(source, "user"),
                         "registry.user: it has a control character or a colon, or is no UTF-8");
    if (!utf8_is_printable(registry->password, strlen(registry->password)))
        return conf_fail(source->error,
                         place_of(source, file[0] != '\0' ? "password_file" : "password"),
                         "registry.%s: the password has a control character or is no UTF-8",
                         file[0] != '\0' ? "password_file" : "password");
    if (registry->type == CONF_REGISTRY_DISTRIBUTOR && has_any)
        return conf_fail(source->error,
                         place_of(source, registry->user[0] != '\0' ? "user" : "password"),
                         "registry.user: a distributor asks for no user name and no password");
    return 0;
}

/* Consul takes a password without a user for its token. */
static int check_login(const struct conf_source *source, const struct conf_registry *registry,
                       const struct registry_url *url)
{
    const char *user = conf_registry_user(registry, url);
    const char *password = conf_registry_password(registry, url);

    if (user == NULL && password != NULL && registry->type != CONF_REGISTRY_CONSUL)
        return conf_fail(source->error,
                         place_of(source, url->password != NULL                ? "url"
                                          : registry->password_file[0] != '\0' ? "password_file"
                                                                               : "password"),
                         "registry.user: %s wants a user name with the password for %.300s: set "
                         "registry.user or REGISTRY_USER",
                         conf_registry_type_name((enum conf_registry_type)registry->type),
                         url->text);
    if (url->user == NULL && user != NULL && password == NULL)
        return conf_fail(source->error, place_of(source, "user"),
                         "registry.user: there is no password for '%.100s': set "
                         "registry.password_file or REGISTRY_PASSWORD",
                         user);
    return 0;
}

static int check_logins(const struct conf_source *source, const struct conf *conf)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < conf->registry.n_urls; i++)
        rc = check_login(source, &conf->registry, &conf->registry.urls[i]);
    return rc;
}

static int check_times(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;
    bool ttl_is_set = conf_assignments_winner(source->list, name_of("ttl_ms")) != NULL;

    if (registry->heartbeat_ms < registry->ttl_ms)
        return 0;
    return conf_fail(source->error, place_of(source, ttl_is_set ? "ttl_ms" : "heartbeat_ms"),
                     "registry.ttl_ms (%ld) must be more than heartbeat_ms (%ld), or this instance "
                     "is forgotten between two heartbeats; three times as much is usual",
                     registry->ttl_ms, registry->heartbeat_ms);
}

/* A name that can be a segment of keys, of nodes and of URLs. */
static bool is_segment(const char *name)
{
    return utf8_is_printable(name, strlen(name)) && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int check_name(const struct conf_source *source, const char *key, const char *name)
{
    if (is_segment(name))
        return 0;
    return conf_fail(source->error, place_of(source, key),
                     "registry.%s: '%.127s' is no name: it has printable characters and no '/', "
                     "and is not '.' or '..'",
                     key, name);
}

static int check_own_names(const struct conf_source *source, const struct conf *conf)
{
    int rc = check_name(source, "app", conf->registry.app);

    return rc == 0 ? check_name(source, "instance_id", conf->registry.instance_id) : rc;
}

static bool has(const struct conf_list *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int check_watch(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_list *watch = &conf->registry.watch;

    for (size_t i = 0; i < watch->n; i++) {
        if (check_name(source, "watch", watch->items[i]) < 0)
            return -EINVAL;
        if (has(watch, i, watch->items[i]))
            return conf_fail(source->error, place_of(source, "watch"),
                             "registry.watch: '%.127s' stands there twice", watch->items[i]);
    }
    return 0;
}

static int check_upstreams(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;
    size_t n = registry->watch.n;

    for (size_t i = 0; i < conf->n_upstreams; i++) {
        const struct conf_upstream *upstream = &conf->upstreams[i];
        struct conf_name name = {.section = conf_section_find("upstream"),
                                 .title = upstream->title,
                                 .key = "from_registry"};

        if (!upstream->from_registry)
            continue;
        if (registry->type == CONF_REGISTRY_NONE)
            return conf_fail(source->error, conf_check_place(source, name),
                             "upstream \"%s\": from_registry needs a registry: set registry.type "
                             "and registry.url",
                             upstream->title);
        if (!is_segment(upstream->title))
            return conf_fail(source->error, conf_check_place(source, name),
                             "upstream \"%s\": its title is no name of a service", upstream->title);
        n += !has(&registry->watch, registry->watch.n, upstream->title);
    }
    if (n <= CONF_REGISTRY_WATCH_MAX)
        return 0;
    return conf_fail(source->error, place_of(source, "watch"),
                     "registry.watch: %zu services are looked up, those of upstreams included; "
                     "there may be %d",
                     n, CONF_REGISTRY_WATCH_MAX);
}

static int check_advertise(const struct conf_source *source, const struct conf *conf)
{
    const char *host = conf->registry.advertise_host;
    char endpoint[ENDPOINT_SIZE];
    struct address address;
    const char *why;
    bool is_name;

    if (host[0] == '\0')
        return 0;
    (void)address_join(host, 1, endpoint, sizeof(endpoint));
    if (host[0] != '[' && endpoint_parse(endpoint, &is_name, &address, &why) == 0)
        return 0;
    return conf_fail(source->error, place_of(source, "advertise_host"),
                     "registry.advertise_host: '%.253s' is no address, without brackets and port, "
                     "and no name",
                     host);
}

/* Names that the protocol of distributors has no room for. */
static int check_star(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;

    if (registry->type != CONF_REGISTRY_DISTRIBUTOR)
        return 0;
    if (registry->advertise_host[0] != '\0')
        return conf_fail(source->error, place_of(source, "advertise_host"),
                         "registry.advertise_host: a distributor cannot be told a host, it takes "
                         "the address that it sees: leave this out");
    if (registry->instance_id[0] != '\0')
        return conf_fail(source->error, place_of(source, "instance_id"),
                         "registry.instance_id: a distributor cannot be told an id: leave this "
                         "out");
    return 0;
}

/* The length of the key that a text "KEY=VALUE" begins with; 0: it is none. */
static size_t key_length(const char *text, bool takes_dots)
{
    size_t len = strspn(text, KEY_CHARS);
    const char *dot = memchr(text, '.', len);

    return text[len] == '=' && utf8_is_printable(text, strlen(text)) && (takes_dots || dot == NULL)
               ? len
               : 0;
}

static int check_metadata(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_list *metadata = &conf->registry.metadata;
    bool takes_dots = conf->registry.type != CONF_REGISTRY_CONSUL;

    for (size_t i = 0; i < metadata->n; i++) {
        const char *text = metadata->items[i];
        size_t len = key_length(text, takes_dots);

        if (len == 0)
            return conf_fail(source->error, place_of(source, "metadata"),
                             "registry.metadata: '%.100s' is not KEY=VALUE with letters, digits, "
                             "'_', '-' and, but for Consul, '.' in its key",
                             text);
        for (size_t j = 0; j < i; j++)
            if (strncmp(text, metadata->items[j], len + 1) == 0)
                return conf_fail(source->error, place_of(source, "metadata"),
                                 "registry.metadata: '%.*s' stands there twice", (int)len, text);
    }
    return 0;
}

static int check_prefix(const struct conf_source *source, const struct conf *conf)
{
    const char *prefix = conf->registry.prefix;
    size_t len = strlen(prefix);
    bool is_good = utf8_is_printable(prefix, len) && prefix[0] == '/' && prefix[len - 1] != '/';

    for (const char *at = prefix; is_good && *at == '/';) {
        char segment[256];

        (void)snprintf(segment, sizeof(segment), "%.*s", (int)strcspn(at + 1, "/"), at + 1);
        is_good = segment[0] != '\0' && is_segment(segment);
        at += 1 + strlen(segment);
    }
    if (is_good)
        return 0;
    return conf_fail(source->error, place_of(source, "prefix"),
                     "registry.prefix: '%.255s' is not as /services or /a/b, without '/' at its "
                     "end, '.' and '..'",
                     prefix);
}

/* Later somebody else may have to read it, and nobody would hear of that. */
static int check_file(const struct conf_source *source, const char *key, const char *path)
{
    if (path[0] == '\0' || access(path, R_OK) == 0)
        return 0;
    return conf_fail(source->error, place_of(source, key), "registry.%s: %.300s: %s", key, path,
                     strerror(errno));
}

static bool has_https(const struct conf_registry *registry)
{
    for (size_t i = 0; i < registry->n_urls; i++)
        if (registry->urls[i].is_tls)
            return true;
    return false;
}

/* Who says whom to trust believes that nothing travels in the clear. */
static int check_https(const struct conf_source *source, const struct conf_registry *registry)
{
    const char *key = registry->ca_file[0] != '\0'     ? "ca_file"
                      : registry->cert_file[0] != '\0' ? "cert_file"
                      : registry->key_file[0] != '\0'  ? "key_file"
                                                       : NULL;

    if (key == NULL || registry->type == CONF_REGISTRY_NONE || has_https(registry))
        return 0;
    return conf_fail(source->error, place_of(source, key),
                     "registry.%s: it is for https, and no URL of registry.url has that", key);
}

static int check_certificates(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;

    if (check_file(source, "ca_file", registry->ca_file) < 0 ||
        check_file(source, "cert_file", registry->cert_file) < 0 ||
        check_file(source, "key_file", registry->key_file) < 0)
        return -EINVAL;
    if (registry->key_file[0] != '\0' && registry->cert_file[0] == '\0')
        return conf_fail(source->error, place_of(source, "key_file"),
                         "registry.key_file: a key needs its certificate: set registry.cert_file");
    return check_https(source, registry);
}

/* The herald would find that out only when it has something to keep. */
static int check_cache(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_registry *registry = &conf->registry;
    char path[2 * PATH_MAX];
    struct stat status;
    const char *folder;
    int error;

    if (registry->type == CONF_REGISTRY_NONE || registry->cache_file[0] == '\0')
        return 0;
    (void)snprintf(path, sizeof(path), "%s%s", conf->instance.chroot, registry->cache_file);
    folder = dirname(path);
    error = stat(folder, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (error == 0)
        return 0;
    return conf_fail(source->error, place_of(source, "cache_file"),
                     "registry.cache_file: its folder %.300s: %s; make it, for instance.user to "
                     "write to",
                     folder, strerror(error));
}

static int (*const checks[])(const struct conf_source *source, const struct conf *conf) = {
    check_type,  check_urls,      check_paths,  check_secrets,      check_logins,
    check_times, check_own_names, check_watch,  check_upstreams,    check_advertise,
    check_star,  check_metadata,  check_prefix, check_certificates, check_cache,
};

int conf_check_registry(const struct conf_source *source, const struct conf *conf)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
        rc = checks[i](source, conf);
    return rc;
}
