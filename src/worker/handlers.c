#include "config.h"

#include "worker/handlers.h"

#include <stddef.h>

#include "http/handlers/handler.h"
#include "proxy/proxy.h"

const struct conf_handler *const handlers_conf[] = {
    &handler_files.conf,         &handler_health.conf,
    &handler_identity.conf,      &handler_json.conf,
    &handler_not_found.conf,     &handler_proxy.conf,
    &handler_redirect.conf,      &handler_text.conf,
    &handler_worker_killer.conf, NULL,
};
