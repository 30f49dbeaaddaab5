#include "config.h"

#include "http/networks.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/option.h"

int networks_read(const struct conf_list *texts, struct networks *ret_networks)
{
    const char *why;
    struct networks networks = {calloc(texts->n + 1, sizeof *networks.items), 0};
    if (networks.items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < texts->n; i++)
        if (network_parse(texts->items[i], &networks.items[networks.n], &why) == 0)
            networks.n++;
    *ret_networks = networks;
    return 0;
}

bool networks_contain(const struct networks *networks, const struct address *address)
{
    for (size_t i = 0; i < networks->n; i++)
        if (network_contains(&networks->items[i], address))
            return true;
    return false;
}

void networks_free(struct networks *networks)
{
    free(networks->items);
    *networks = (struct networks){NULL, 0};
}
