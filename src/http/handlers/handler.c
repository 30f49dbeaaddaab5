#include "config.h"

#include "http/handlers/handler.h"

#include <stddef.h>

const struct handler *handler_of(const struct conf_handler *conf)
{
    return (const struct handler *)((const char *)conf - offsetof(struct handler, conf));
}
