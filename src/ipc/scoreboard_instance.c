#include "config.h"

#include "ipc/scoreboard_state.h"

const uint64_t scoreboard_recovery_bounds_us[SCOREBOARD_RECOVERY_BOUNDS] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

void scoreboard_set_instance(struct scoreboard *scoreboard,
                             const struct scoreboard_instance *instance)
{
    struct board *board = scoreboard->board;
    set_relaxed(board->started_ms, instance->started_ms);
    set_relaxed(board->beat_ms, instance->beat_ms);
    set_relaxed(board->condition, instance->condition);
    set_relaxed(board->generation, instance->generation);
    set_relaxed(board->upgrades, instance->upgrades);
    set_relaxed(board->strength, instance->strength);
}

void scoreboard_read_instance(const struct scoreboard *scoreboard,
                              struct scoreboard_instance *ret_instance)
{
    const struct board *board = scoreboard->board;
    *ret_instance = (struct scoreboard_instance){
        .started_ms = get_relaxed(board->started_ms),
        .beat_ms = get_relaxed(board->beat_ms),
        .condition = get_relaxed(board->condition),
        .generation = get_relaxed(board->generation),
        .upgrades = get_relaxed(board->upgrades),
        .strength = get_relaxed(board->strength),
    };
}

void scoreboard_count(struct scoreboard *scoreboard, enum scoreboard_count count)
{
    add_relaxed(scoreboard->board->counts[count], 1);
}

uint64_t scoreboard_read_count(const struct scoreboard *scoreboard, enum scoreboard_count count)
{
    return get_relaxed(scoreboard->board->counts[count]);
}

/* Where a kind of death has its place among those; SCOREBOARD_DEATHS for what is none. */
static size_t place_of(enum scoreboard_count death)
{
    if (death < SCOREBOARD_DEATHS_RETIRED || death > SCOREBOARD_DEATHS_KILLED)
        return SCOREBOARD_DEATHS;
    return (size_t)(death - SCOREBOARD_DEATHS_RETIRED);
}

void scoreboard_count_respawn(struct scoreboard *scoreboard, enum scoreboard_count death)
{
    size_t place = place_of(death);
    if (place < SCOREBOARD_DEATHS)
        add_relaxed(scoreboard->board->respawns[place], 1);
}

uint64_t scoreboard_read_respawns(const struct scoreboard *scoreboard, enum scoreboard_count death)
{
    size_t place = place_of(death);
    return place < SCOREBOARD_DEATHS ? get_relaxed(scoreboard->board->respawns[place]) : 0;
}

uint64_t scoreboard_respawns(const struct scoreboard *scoreboard)
{
    uint64_t n = 0;
    for (size_t i = 0; i < SCOREBOARD_DEATHS; i++)
        n += get_relaxed(scoreboard->board->respawns[i]);
    return n;
}

void scoreboard_recovered(struct scoreboard *scoreboard, uint64_t duration_us)
{
    struct board *board = scoreboard->board;
    size_t place =
        histogram_place(scoreboard_recovery_bounds_us, SCOREBOARD_RECOVERY_BOUNDS, duration_us);
    add_relaxed(board->recovery[place], 1);
    add_relaxed(board->recovery_sum_us, duration_us);
}

void scoreboard_read_recovery(const struct scoreboard *scoreboard, uint64_t *ret_places,
                              uint64_t *ret_sum_us)
{
    const struct board *board = scoreboard->board;
    for (size_t i = 0; i <= SCOREBOARD_RECOVERY_BOUNDS; i++)
        ret_places[i] = get_relaxed(board->recovery[i]);
    *ret_sum_us = get_relaxed(board->recovery_sum_us);
}

void scoreboard_set_tally(struct scoreboard *scoreboard, unsigned number,
                          const struct scoreboard_tally *tally)
{
    if (number < 1 || number > SCOREBOARD_NUMBERS)
        return;
    struct tally *shared = &scoreboard->board->tallies[number - 1];
    uint64_t sequence = sequence_open(&shared->sequence);
    set_relaxed(shared->respawns, tally->respawns);
    set_relaxed(shared->exit_worker, tally->exit_worker);
    set_relaxed(shared->exit_status, tally->exit_status);
    set_relaxed(shared->exit_ms, tally->exit_ms);
    set_relaxed(shared->exit_kind, tally->exit_kind);
    sequence_close(&shared->sequence, sequence);
}

static void get_tally(const struct tally *shared, struct scoreboard_tally *ret_tally)
{
    *ret_tally = (struct scoreboard_tally){
        .respawns = get_relaxed(shared->respawns),
        .exit_worker = get_relaxed(shared->exit_worker),
        .exit_status = get_relaxed(shared->exit_status),
        .exit_ms = get_relaxed(shared->exit_ms),
        .exit_kind = get_relaxed(shared->exit_kind),
    };
}

void scoreboard_read_tally(const struct scoreboard *scoreboard, unsigned number,
                           struct scoreboard_tally *ret_tally)
{
    *ret_tally = (struct scoreboard_tally){.respawns = 0};
    if (number < 1 || number > SCOREBOARD_NUMBERS)
        return;
    const struct tally *shared = &scoreboard->board->tallies[number - 1];
    for (int attempt = 0; attempt < SEQUENCE_ATTEMPTS; attempt++) {
        uint64_t before = sequence_look(&shared->sequence);
        get_tally(shared, ret_tally);
        if (sequence_stood(&shared->sequence, before))
            return;
    }
}

const char *scoreboard_death_name(enum scoreboard_count count)
{
    static const char *const names[SCOREBOARD_COUNTS] = {
        [SCOREBOARD_DEATHS_RETIRED] = "retired", [SCOREBOARD_DEATHS_CHAOS] = "chaos",
        [SCOREBOARD_DEATHS_LEFT] = "left",       [SCOREBOARD_DEATHS_EXIT] = "exit",
        [SCOREBOARD_DEATHS_SIGNAL] = "signal",   [SCOREBOARD_DEATHS_OOM] = "oom",
        [SCOREBOARD_DEATHS_HANG] = "hang",       [SCOREBOARD_DEATHS_KILLED] = "killed",
    };
    return (unsigned)count < SCOREBOARD_COUNTS ? names[count] : NULL;
}

const char *scoreboard_condition_name(enum scoreboard_condition condition)
{
    static const char *const names[SCOREBOARD_CONDITIONS] = {
        "starting", "serving", "reloading", "degraded", "paused", "stopping",
    };
    return (unsigned)condition < SCOREBOARD_CONDITIONS ? names[condition] : "unknown";
}
