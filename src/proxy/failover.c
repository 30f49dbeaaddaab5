#include "config.h"

#include "proxy/failover.h"

#include <stddef.h>
#include <string.h>

#include "conf/conf.h"

static bool is_idempotent(const char *method)
{
    return strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}

bool failover_is_allowed(const struct conf_upstream *conf, const struct failover *failover)
{
    bool is_repeatable = !failover->is_sent || is_idempotent(failover->method) ||
                         (conf->next & CONF_NEXT_NON_IDEMPOTENT) != 0;
    bool has_tries = conf->next_tries == 0 || failover->attempts < (unsigned long)conf->next_tries;
    bool has_time = conf->next_timeout_ms == 0 || failover->elapsed_ms < conf->next_timeout_ms;
    return (conf->next & failover->reason) != 0 && is_repeatable && failover->is_replayable &&
           has_tries && has_time;
}

unsigned failover_status(const struct conf_upstream *conf, int status)
{
    static const struct {
        int status;
        unsigned reason;
    } rows[] = {
        {403, CONF_NEXT_HTTP_403}, {404, CONF_NEXT_HTTP_404}, {429, CONF_NEXT_HTTP_429},
        {500, CONF_NEXT_HTTP_500}, {502, CONF_NEXT_HTTP_502}, {503, CONF_NEXT_HTTP_503},
        {504, CONF_NEXT_HTTP_504},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return conf->next & rows[i].reason;
    return 0;
}
