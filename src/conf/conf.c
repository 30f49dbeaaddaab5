#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/assignments.h"
#include "conf/conf.h"
#include "conf/pattern.h"
#include "conf/registry_resolve.h"
#include "conf/schema.h"
#include "conf/upstream.h"
#include "conf/value.h"

static void free_listens(struct conf *conf)
{
    const struct conf_section *section = conf_section_find("listen");

    for (size_t i = 0; i < conf->n_listens; i++) {
        conf_settings_clear(section->options, &conf->listens[i]);
        free(conf->listens[i].title);
    }
    free(conf->listens);
}

void conf_route_clear(struct conf_route *route)
{
    conf_settings_clear(conf_section_find("route")->options, route);
    if (route->settings != NULL)
        conf_settings_clear(route->handler->options, route->settings);
    free(route->settings);
    pattern_free(route->parsed);
    free(route->pattern);
}

static void free_routes(struct conf *conf)
{
    for (size_t i = 0; i < conf->n_routes; i++)
        conf_route_clear(&conf->routes[i]);
    free(conf->routes);
}

static void free_upstreams(struct conf *conf)
{
    for (size_t i = 0; i < conf->n_upstreams; i++)
        conf_upstream_clear(&conf->upstreams[i]);
    free(conf->upstreams);
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    for (const struct conf_section *section = conf_sections; section->name != NULL; section++)
        if (!section->titled && section->parent == NULL)
            conf_settings_clear(section->options, (char *)conf + section->offset);
    conf_registry_clear(&conf->registry);
    free_listens(conf);
    free_routes(conf);
    free_upstreams(conf);
    conf_assignments_free(conf->assignments);
    free(conf);
}

/* As many as watch at once, and not who may: that is for the token to say. */
#define ADMIN_BACKLOG 128
#define ADMIN_MODE    0660

bool conf_admin_listen(const struct conf *conf, struct conf_listen *ret_listen)
{
    const char *why;
    struct conf_listen listen = {
        .title = conf->admin.listen, .backlog = ADMIN_BACKLOG, .mode = ADMIN_MODE};
    if (strcmp(conf->admin.listen, "off") == 0 ||
        address_parse(conf->admin.listen, &listen.address, &why) != 0)
        return false;
    *ret_listen = listen;
    return true;
}

int conf_open_log(const struct conf_log *log)
{
    return log_open((enum log_level)log->level, (enum log_format)log->format, log->target);
}
