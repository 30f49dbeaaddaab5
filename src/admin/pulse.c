#include "config.h"

#include "admin/pulse.h"

#include <stddef.h>

#include "base/hash.h"
#include "ipc/scoreboard.h"
#include "life/crew.h"

static uint64_t mix(uint64_t hash, uint64_t number)
{
    return hash_bytes(hash, &number, sizeof number);
}

static void add_place(struct pulse *pulse, const struct scoreboard_slot *slot)
{
    struct scoreboard_place place;
    struct scoreboard_work work;
    scoreboard_read_place(slot, &place);
    pulse->shape = mix(mix(pulse->shape, place.state), place.number);
    pulse->shape = mix(pulse->shape, place.worker);
    if (!crew_is_alive(&place))
        return;
    scoreboard_read_work(slot, &work);
    pulse->traffic = mix(mix(pulse->traffic, work.requests), work.connections);
    pulse->traffic = mix(pulse->traffic, (uint64_t)work.since_ms);
}

void pulse_read(const struct scoreboard *scoreboard, struct pulse *ret_pulse)
{
    struct pulse pulse = {HASH_BEGIN, HASH_BEGIN};
    struct scoreboard_instance instance;
    scoreboard_read_instance(scoreboard, &instance);
    pulse.shape = mix(mix(pulse.shape, instance.condition), instance.generation);
    pulse.shape = mix(mix(pulse.shape, instance.upgrades), instance.strength);
    for (size_t i = 0; i < scoreboard_size(scoreboard); i++)
        add_place(&pulse, crew_place(scoreboard, i));
    *ret_pulse = pulse;
}
