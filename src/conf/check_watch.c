#include "config.h"

#include "conf/check_watch.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "conf/fail.h"
#include "conf/host_name.h"
#include "conf/schema.h"

static const char *place_of(const struct conf_source *source, const char *section, const char *key)
{
    return conf_check_place(source,
                            (struct conf_name){.section = conf_section_find(section), .key = key});
}

/* What anybody on the network can reach is for those who know the secret. */
static int check_reach(const struct conf_source *source, const struct conf_admin *admin,
                       const struct address *address)
{
    if (admin->token[0] != '\0' || address_is_local(address))
        return 0;
    return conf_fail(source->error, place_of(source, "admin", "listen"),
                     "admin.listen: %.200s is beyond loopback, which needs admin.token",
                     admin->listen);
}

static int check_distinct(const struct conf_source *source, const struct conf *conf,
                          const struct address *address, const char *section, const char *key)
{
    for (size_t i = 0; i < conf->n_listens; i++)
        if (address_port(address) != 0 && address_equal(address, &conf->listens[i].address))
            return conf_fail(source->error, place_of(source, section, key),
                             "%s.%s: listen \"%.200s\" is the same address", section, key,
                             conf->listens[i].title);
    return 0;
}

static int check_hosts(const struct conf_source *source, const struct conf_list *hosts)
{
    for (size_t i = 0; i < hosts->n; i++)
        if (!conf_is_host_name(hosts->items[i]))
            return conf_fail(source->error, place_of(source, "admin", "hosts"),
                             "admin.hosts: '%.100s' is not a host name without a port",
                             hosts->items[i]);
    return 0;
}

/* What a header field can carry and nobody trims (RFC 6750 section 2.1 allows less). */
static int check_token(const struct conf_source *source, const char *token)
{
    for (const char *at = token; *at != '\0'; at++)
        if (*at < '!' || *at > '~')
            return conf_fail(source->error, place_of(source, "admin", "token"),
                             "admin.token: it may have visible ASCII characters only, no spaces");
    return 0;
}

int conf_check_admin(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_admin *admin = &conf->admin;
    struct address address;
    const char *why;
    int rc = check_hosts(source, &admin->hosts);

    if (rc == 0)
        rc = check_token(source, admin->token);

    if (rc != 0 || strcmp(admin->listen, "off") == 0)
        return rc;
    if (address_parse(admin->listen, &address, &why) != 0)
        return conf_fail(source->error, place_of(source, "admin", "listen"),
                         "admin.listen: %.200s: %s", admin->listen, why);
    rc = check_reach(source, admin, &address);
    return rc != 0 ? rc : check_distinct(source, conf, &address, "admin", "listen");
}

/* Whether it is a path that a unix socket can have. */
static int check_path(const struct conf_source *source, const struct conf *conf)
{
    const char *path = conf->control.socket;
    char text[sizeof "unix:" + CONF_ERROR_SIZE];
    struct address address;
    const char *why;

    (void)snprintf(text, sizeof text, "unix:%.400s", path);
    if (path[0] != '/')
        return 0; /* auto and off */
    if (address_parse(text, &address, &why) != 0)
        return conf_fail(source->error, place_of(source, "control", "socket"),
                         "control.socket: %.200s: %s", path, why);
    return check_distinct(source, conf, &address, "control", "socket");
}

int conf_check_control(const struct conf_source *source, const struct conf *conf)
{
    const struct conf_control *control = &conf->control;

    if (control->user[0] != '\0' && getpwnam(control->user) == NULL)
        return conf_fail(source->error, place_of(source, "control", "user"),
                         "control.user: there is no user '%s'", control->user);
    if (control->group[0] != '\0' && getgrnam(control->group) == NULL)
        return conf_fail(source->error, place_of(source, "control", "group"),
                         "control.group: there is no group '%s'", control->group);
    return check_path(source, conf);
}
