#include "config.h"

#include "conf/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/endpoint.h"
#include "conf/schema.h"
#include "conf/spelling.h"

const struct conf_upstream *conf_upstream_find(const struct conf *conf, const char *title)
{
    for (size_t i = 0; i < conf->n_upstreams; i++)
        if (strcmp(conf->upstreams[i].title, title) == 0)
            return &conf->upstreams[i];
    return NULL;
}

int conf_upstream_require(const struct conf *conf, const char *key, const char *title,
                          char why[CONF_WHY_SIZE])
{
    struct spelling spelling = spelling_of(title);

    if (conf_upstream_find(conf, title) != NULL)
        return 0;
    for (size_t i = 0; i < conf->n_upstreams; i++)
        spelling_try(&spelling, conf->upstreams[i].title);
    if (spelling.nearest != NULL)
        return conf_value_refuse(why, "%s: there is no upstream \"%.*s\"; did you mean \"%s\"?",
                                 key, CONF_QUOTED_MAX, title, spelling.nearest);
    return conf_value_refuse(why, "%s: there is no upstream \"%.*s\"", key, CONF_QUOTED_MAX, title);
}

int conf_upstream_add(struct conf *conf, const char *title, struct conf_upstream **ret_upstream)
{
    size_t n = conf->n_upstreams;
    struct conf_upstream *upstreams = reallocarray(conf->upstreams, n + 1, sizeof(*upstreams));

    if (upstreams == NULL)
        return -ENOMEM;
    conf->upstreams = upstreams;
    upstreams[n] = (struct conf_upstream){.title = strdup(title)};
    if (upstreams[n].title == NULL)
        return -ENOMEM;
    conf->n_upstreams++;
    *ret_upstream = &upstreams[n];
    return 0;
}

int conf_server_add(struct conf_upstream *upstream, const char *title,
                    struct conf_server **ret_server)
{
    size_t n = upstream->n_servers;
    struct conf_server *servers = reallocarray(upstream->servers, n + 1, sizeof(*servers));

    if (servers == NULL)
        return -ENOMEM;
    upstream->servers = servers;
    servers[n] = (struct conf_server){.title = strdup(title)};
    if (servers[n].title == NULL)
        return -ENOMEM;
    upstream->n_servers++;
    *ret_server = &servers[n];
    return 0;
}

static int fill_implicit(struct conf_upstream *upstream)
{
    const struct conf_section *check = conf_section_find("check");
    struct conf_server *server;
    const char *why;
    int rc = conf_settings_fill(conf_section_find("upstream")->options, upstream);

    if (rc == 0)
        rc = conf_settings_fill(check->options, (char *)upstream + check->offset);
    if (rc == 0)
        rc = conf_server_add(upstream, upstream->title, &server);
    if (rc != 0)
        return rc;
    rc = endpoint_parse(server->title, &server->is_name, &server->address, &why);
    return rc < 0 ? rc : conf_settings_fill(conf_section_find("server")->options, server);
}

int conf_upstream_add_implicit(struct conf *conf, const char *key, const char *host_port,
                               char why[CONF_WHY_SIZE])
{
    struct conf_upstream *upstream;
    int rc;

    if (conf_upstream_find(conf, host_port) != NULL)
        return 0;
    if (conf->n_upstreams == CONF_UPSTREAMS_MAX)
        return conf_value_refuse(why, "%s: there are %d upstreams already", key,
                                 CONF_UPSTREAMS_MAX);
    rc = conf_upstream_add(conf, host_port, &upstream);
    return rc < 0 ? rc : fill_implicit(upstream);
}

void conf_upstream_clear(struct conf_upstream *upstream)
{
    const struct conf_section *check = conf_section_find("check");

    conf_settings_clear(conf_section_find("upstream")->options, upstream);
    conf_settings_clear(check->options, (char *)upstream + check->offset);
    for (size_t i = 0; i < upstream->n_servers; i++) {
        conf_settings_clear(conf_section_find("server")->options, &upstream->servers[i]);
        free(upstream->servers[i].title);
    }
    free(upstream->servers);
    free(upstream->title);
}
