#include "config.h"

#include "cluster/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cluster/master_state.h"
#include "cluster/role.h"

_Static_assert(ROLE_NUMBERS <= SCOREBOARD_NUMBERS, "the scoreboard has a tally for each number");

/* How long a number was, or is, without anybody who serves. */
struct vacancy {
    int64_t since_us;           /* 0: it is not vacant */
    enum scoreboard_count kind; /* of the death that it is for: the last one since then */
};

struct tallies {
    struct scoreboard *scoreboard;
    struct vacancy vacancies[ROLE_NUMBERS + 1];
};

int tallies_new(struct scoreboard *scoreboard, struct tallies **ret_tallies)
{
    struct tallies *tallies = calloc(1, sizeof *tallies);
    if (tallies == NULL)
        return -ENOMEM;
    tallies->scoreboard = scoreboard;
    *ret_tallies = tallies;
    return 0;
}

void tallies_free(struct tallies *tallies)
{
    free(tallies);
}

void tally_birth(struct slot *slot)
{
    struct tallies *tallies = slot->master->tallies;
    struct scoreboard_tally tally;
    scoreboard_count(tallies->scoreboard, SCOREBOARD_FORKS);
    slot->successor = !slot->candidate && tallies->vacancies[slot->number].since_us != 0;
    if (!slot->successor)
        return;
    scoreboard_count_respawn(tallies->scoreboard, tallies->vacancies[slot->number].kind);
    scoreboard_read_tally(tallies->scoreboard, slot->number, &tally);
    tally.respawns++;
    scoreboard_set_tally(tallies->scoreboard, slot->number, &tally);
}

void tally_ready(const struct slot *slot, int64_t now_us)
{
    struct tallies *tallies = slot->master->tallies;
    struct vacancy *vacancy = &tallies->vacancies[slot->number];
    if (vacancy->since_us == 0)
        return;
    if (role_of(slot->number) == ROLE_WORKER)
        scoreboard_recovered(tallies->scoreboard, (uint64_t)(now_us - vacancy->since_us));
    vacancy->since_us = 0;
}

static enum scoreboard_count kind_of_kill(const struct death *death)
{
    return strcmp(death->killed_for, MASTER_HANGS) == 0 ? SCOREBOARD_DEATHS_HANG
                                                        : SCOREBOARD_DEATHS_KILLED;
}

enum scoreboard_count tally_kind(const struct slot *slot, const struct death *death)
{
    if (slot->retired || slot->recycled || slot->master->phase != MASTER_RUNNING)
        return SCOREBOARD_DEATHS_RETIRED;
    if (slot->doom_ms != INT64_MAX && death->deliberate)
        return SCOREBOARD_DEATHS_CHAOS;
    if (death->killed_for[0] != '\0')
        return kind_of_kill(death);
    if (death->deliberate)
        return SCOREBOARD_DEATHS_LEFT;
    if (death->oom)
        return SCOREBOARD_DEATHS_OOM;
    return WIFSIGNALED((int)death->wait_status) ? SCOREBOARD_DEATHS_SIGNAL : SCOREBOARD_DEATHS_EXIT;
}

/* What the master wanted is no news, and must not hide what it did not want. */
static void note_exit(const struct slot *slot, const struct death *death,
                      enum scoreboard_count kind)
{
    struct scoreboard *scoreboard = slot->master->scoreboard;
    struct scoreboard_tally tally;
    scoreboard_read_tally(scoreboard, slot->number, &tally);
    tally.exit_worker = death->worker;
    tally.exit_status = death->wait_status;
    tally.exit_ms = death->when_ms;
    tally.exit_kind = kind;
    scoreboard_set_tally(scoreboard, slot->number, &tally);
}

/* The time without service began with the first death, a fork is for the last one. */
static void open_gap(struct vacancy *vacancy, enum scoreboard_count kind, int64_t now_us)
{
    vacancy->kind = kind;
    if (vacancy->since_us == 0)
        vacancy->since_us = now_us;
}

void tally_death(const struct slot *slot, const struct death *death, bool leaves_gap,
                 int64_t now_us)
{
    struct tallies *tallies = slot->master->tallies;
    struct vacancy *vacancy = &tallies->vacancies[slot->number];
    enum scoreboard_count kind = tally_kind(slot, death);
    scoreboard_count(tallies->scoreboard, kind);
    if (kind != SCOREBOARD_DEATHS_RETIRED)
        note_exit(slot, death, kind);
    if (leaves_gap)
        open_gap(vacancy, kind, now_us);
}

void tally_vacate(const struct slot *slot, int64_t now_us)
{
    bool meant = slot->doom_ms <= now_us / 1000;
    open_gap(&slot->master->tallies->vacancies[slot->number],
             meant ? SCOREBOARD_DEATHS_CHAOS : SCOREBOARD_DEATHS_HANG, now_us);
}

void tally_forget(struct tallies *tallies, unsigned number)
{
    tallies->vacancies[number].since_us = 0;
}
