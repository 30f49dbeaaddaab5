#include "config.h"

#include "proxy/proxy_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "http/request.h"
#include "proxy/forward_state.h"
#include "proxy/proxy_state.h"

#define LINES_A_SECOND 10

static bool is_hushed(struct proxy *proxy, int64_t now_s)
{
    if (now_s != proxy->told_s) {
        proxy->told_s = now_s;
        proxy->n_told = 0;
    }
    if (proxy->n_told < LINES_A_SECOND) {
        proxy->n_told++;
        return false;
    }
    proxy->n_hushed++;
    return true;
}

void proxy_log(struct forward *forward, const char *why)
{
    struct proxy *proxy = forward->proxy;
    int64_t now_us = clock_now_us();
    if (is_hushed(proxy, now_us / 1000000))
        return;
    const struct log_field fields[] = {
        LOG_TEXT("upstream", forward->upstream->conf->title),
        LOG_TEXT("server", forward->is_picked ? forward->pick.name : "none"),
        LOG_NUMBER("attempt", forward->attempts),
        LOG_NUMBER("attempt_ms", forward->is_picked ? (now_us - forward->pick.began_us) / 1000 : 0),
        LOG_NUMBER("elapsed_ms", (now_us - forward->began_us) / 1000),
        LOG_TEXT("client", request_client_text(forward->request)),
        LOG_TEXT("method", request_method(forward->request)),
        LOG_TEXT("path", request_raw_path(forward->request)),
        LOG_NUMBER("left_out", proxy->n_hushed),
    };
    proxy->n_hushed = 0;
    log_write(LOG_LEVEL_WARNING, fields, sizeof fields / sizeof fields[0],
              "upstream server failed: %s", why);
}
