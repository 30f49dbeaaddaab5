/* All handlers there are, in the order of their names. */
#include "config.h"

#include "http/handlers/handler.h"

#include <stddef.h>

const struct conf_handler *const handlers_conf[] = {
    &handler_files.conf, &handler_health.conf,        &handler_identity.conf,
    &handler_json.conf,  &handler_not_found.conf,     &handler_redirect.conf,
    &handler_text.conf,  &handler_worker_killer.conf, NULL,
};

const struct handler *handler_of(const struct conf_handler *conf)
{
    return (const struct handler *)((const char *)conf - offsetof(struct handler, conf));
}
