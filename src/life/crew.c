#include "config.h"

#include "life/crew.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "conf/conf.h"
#include "ipc/scoreboard.h"

/* A master whose loop has not turned for this long is stuck. */
#define BEAT_MS_MAX 5000

/* The values of enum slot_state (cluster/slot.h), which is none of this folder's business. */
enum { STATE_EMPTY, STATE_STARTING, STATE_SERVING, STATE_DRAINING, STATE_KILLED };

const struct scoreboard_slot *crew_place(const struct scoreboard *scoreboard, size_t i)
{
    return scoreboard_at((struct scoreboard *)scoreboard, i);
}

static bool is_worker(const struct scoreboard_place *place)
{
    return place->number >= 1 && place->number <= CONF_WORKERS_MAX;
}

bool crew_is_alive(const struct scoreboard_place *place)
{
    return is_worker(place) && place->state >= STATE_STARTING && place->state <= STATE_KILLED;
}

bool crew_serves(const struct scoreboard_place *place)
{
    return is_worker(place) && place->state == STATE_SERVING;
}

static void add(struct crew *crew, const struct scoreboard_slot *slot, int64_t stale_ms)
{
    struct scoreboard_place place;
    struct scoreboard_work work;
    scoreboard_read_place(slot, &place);
    if (!crew_is_alive(&place))
        return;
    scoreboard_read_work(slot, &work);
    crew->alive++;
    crew->connections += work.connections;
    if (!crew_serves(&place))
        return;
    crew->serving++;
    crew->hung += work.heartbeat_ms < stale_ms;
}

void crew_read(const struct scoreboard *scoreboard, int64_t now_ms, int64_t hang_timeout_ms,
               struct crew *ret_crew)
{
    struct scoreboard_instance instance;
    struct crew crew = {.alive = 0};
    int64_t stale_ms = hang_timeout_ms > 0 ? now_ms - hang_timeout_ms : INT64_MIN;
    scoreboard_read_instance(scoreboard, &instance);
    crew.strength = instance.strength;
    for (size_t i = 0; i < scoreboard_size(scoreboard); i++)
        add(&crew, crew_place(scoreboard, i), stale_ms);
    *ret_crew = crew;
}

__attribute__((format(printf, 2, 3))) static struct verdict say(bool is_good, const char *format,
                                                                ...)
{
    struct verdict verdict = {.is_good = is_good};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict.text, sizeof verdict.text, format, arguments);
    va_end(arguments);
    return verdict;
}

struct verdict crew_judge_life(const struct scoreboard_instance *instance, const struct crew *crew,
                               int64_t now_ms)
{
    int64_t age_ms = now_ms - instance->beat_ms;
    if (age_ms > BEAT_MS_MAX)
        return say(false, "the master has stood still for %" PRId64 " s", age_ms / 1000);
    if (crew->serving > 0 && crew->hung == crew->serving)
        return say(false, "all %u workers hang", crew->serving);
    return say(true, "alive");
}

struct verdict crew_judge_readiness(const struct scoreboard_instance *instance,
                                    const struct crew *crew)
{
    if (instance->condition == SCOREBOARD_STOPPING)
        return say(false, "the instance is stopping");
    if (crew->serving == 0)
        return say(false, "no worker serves, the instance is %s",
                   scoreboard_condition_name((enum scoreboard_condition)instance->condition));
    return say(true, "%u of %u workers serve", crew->serving, crew->strength);
}

struct verdict crew_judge_start(const struct scoreboard_instance *instance)
{
    bool is_good = instance->condition != SCOREBOARD_STARTING;
    return say(is_good, is_good ? "started" : "no worker has served yet");
}
