#include "config.h"

#include "cluster/status_registry.h"

#include "cluster/master_state.h"
#include "conf/conf.h"
#include "control/text.h"
#include "discovery/directory.h"

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? control_text(text) : json_null();
}

static json_t *describe_retry(const struct directory_registration *registration, int64_t now_ms)
{
    int64_t wait_ms = registration->retry_ms > now_ms ? registration->retry_ms - now_ms : 0;
    return registration->state == DIRECTORY_RETRYING ? json_integer(wait_ms) : json_null();
}

/* What is registered; all null: nothing is. */
static json_t *describe_registered(const struct directory_registration *registration)
{
    if (registration->state == DIRECTORY_OFF)
        return json_pack("{s:n, s:n, s:n, s:n, s:n}", "status", "app", "id", "host", "port");
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:I}", "status", driver_status_name(registration->status), "app",
        text_or_null(registration->app), "id", text_or_null(registration->instance_id), "host",
        text_or_null(registration->host), "port", (json_int_t)registration->port);
}

json_t *status_registry(const struct master *master, int64_t now_ms)
{
    const struct conf_registry *conf = &master->conf->registry;
    struct directory_registration now;
    if (conf->type == CONF_REGISTRY_NONE)
        return json_null();
    directory_read_registration(master->directory, &now);
    json_t *object = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "type",
                               conf_registry_type_name((enum conf_registry_type)conf->type), "url",
                               text_or_null(now.url), "state", directory_state_name(now.state),
                               "error", text_or_null(now.error), "heard",
                               now.heard_ms > 0 ? control_time(now.heard_ms) : json_null(),
                               "retry_in_ms", describe_retry(&now, now_ms));
    json_object_update_new(object, describe_registered(&now));
    return object;
}
