#include "config.h"

#include "zombiectl/chaos_load.h"

#include <errno.h>
#include <stdlib.h>

#include "zombiectl/chaos_probe.h"

struct chaos_load {
    size_t n;
    struct chaos_probe *probes[];
};

int chaos_load_new(struct event_base *base, const struct chaos_target *target,
                   struct chaos_tally *tally, size_t n, struct chaos_load **ret_load)
{
    struct chaos_load *load = calloc(1, sizeof(*load) + n * sizeof(load->probes[0]));

    if (load == NULL)
        return -ENOMEM;
    for (; load->n < n; load->n++) {
        int r = chaos_probe_new(base, target, tally, load->n % 2 == 0, &load->probes[load->n]);

        if (r != 0) {
            chaos_load_free(load);
            return r;
        }
    }
    *ret_load = load;
    return 0;
}

void chaos_load_stop(struct chaos_load *load)
{
    for (size_t i = 0; i < load->n; i++)
        chaos_probe_stop(load->probes[i]);
}

bool chaos_load_is_idle(const struct chaos_load *load)
{
    for (size_t i = 0; i < load->n; i++) {
        if (!chaos_probe_is_idle(load->probes[i]))
            return false;
    }
    return true;
}

void chaos_load_free(struct chaos_load *load)
{
    if (load == NULL)
        return;
    for (size_t i = 0; i < load->n; i++)
        chaos_probe_free(load->probes[i]);
    free(load);
}
