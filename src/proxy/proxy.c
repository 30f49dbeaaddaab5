#include "config.h"

#include "proxy/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "proxy/balancer.h"
#include "proxy/proxy_state.h"

static void init_upstreams(struct proxy *proxy)
{
    const struct proxy_settings *settings = &proxy->settings;
    for (size_t i = 0; i < settings->conf->n_upstreams; i++) {
        const struct conf_upstream *conf = &settings->conf->upstreams[i];
        upstream_init(&proxy->upstreams[i], settings->base, conf,
                      balancer_find(settings->balancer, conf->title));
        proxy->n_upstreams++;
    }
}

int proxy_new(const struct proxy_settings *settings, struct proxy **ret_proxy)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        return -ENOMEM;
    proxy->settings = *settings;
    proxy->upstreams = calloc(settings->conf->n_upstreams + 1, sizeof *proxy->upstreams);
    proxy->scratch = malloc(PROXY_SCRATCH_BYTES);
    if (proxy->upstreams == NULL || proxy->scratch == NULL) {
        proxy_free(proxy);
        return -ENOMEM;
    }
    init_upstreams(proxy);
    *ret_proxy = proxy;
    return 0;
}

struct upstream *proxy_find(struct proxy *proxy, const char *title)
{
    for (size_t i = 0; i < proxy->n_upstreams; i++) {
        struct upstream *upstream = &proxy->upstreams[i];
        if (strcmp(upstream->conf->title, title) != 0)
            continue;
        if (upstream->balancer == NULL)
            upstream->balancer = balancer_find(proxy->settings.balancer, title);
        return upstream->balancer != NULL ? upstream : NULL;
    }
    return NULL;
}

bool proxy_shed(struct proxy *proxy)
{
    for (size_t i = 0; i < proxy->n_upstreams; i++)
        if (upstream_shed(&proxy->upstreams[i]))
            return true;
    return false;
}

void proxy_free(struct proxy *proxy)
{
    if (proxy == NULL)
        return;
    for (size_t i = 0; i < proxy->n_upstreams; i++)
        upstream_clear(&proxy->upstreams[i]);
    free(proxy->upstreams);
    free(proxy->scratch);
    bytes_free(&proxy->lines);
    free(proxy);
}
