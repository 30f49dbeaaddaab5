#include "config.h"

#include "cluster/reap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/balance.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "cluster/obituary.h"
#include "cluster/recycling.h"
#include "cluster/respawn.h"
#include "cluster/sharing.h"
#include "cluster/spawn.h"
#include "cluster/stop.h"
#include "cluster/table.h"
#include "cluster/upgrade.h"
#include "host/cgroup_meter.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* The worker counts from when it speaks, the master from when it hears. */
#define DOOM_SLACK_MS 1000

static bool exited_with(int wait_status, int code)
{
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == code;
}

/* A SIGKILL that nobody of us sent may be the kernel's, for want of memory: its count tells. */
static bool was_oom(struct master *master, const struct slot *slot, int wait_status)
{
    if (!WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGKILL || slot->killed_for != NULL)
        return false;
    int64_t kills = cgroup_meter_oom_kills(master->meter);
    bool more = kills > master->oom_kills && master->oom_kills >= 0;
    master->oom_kills = kills;
    return more;
}

/* A candidate that was READY is simply born again; before that, what it was to do has failed. */
static enum verdict judge_candidate(struct slot *slot, struct obituary *obituary)
{
    struct master *master = slot->master;
    if (slot->ready_ms != 0)
        return VERDICT_REPLACED;
    if (master->reload.next != NULL) {
        master->reload.failed = true;
        return VERDICT_GIVEN_UP;
    }
    obituary->wait_ms = recycling_postpone(master, obituary->death.when_ms);
    return VERDICT_POSTPONED;
}

/* A successor boots already, because this one was to be recycled. */
static bool has_heir(const struct slot *slot)
{
    const struct slot *heir = table_candidate(slot->master, slot->number);
    return heir != NULL && heir->generation == slot->generation && slot_is_alive(heir->state);
}

/* It is replaced at once if it had proven itself; else it waits, and the workers notice nothing. */
static enum verdict judge_servant(struct slot *slot, struct obituary *obituary)
{
    int64_t now_ms = obituary->death.when_ms;
    bool proven = slot->ready_ms != 0 && now_ms - slot->ready_ms >= RESPAWN_PROVEN_MS;
    if (proven || slot->deliberate) {
        slot->failed_boots = 0;
        return VERDICT_REPLACED;
    }
    obituary->wait_ms = spawn_backoff_ms(slot);
    slot->deadline_ms = now_ms + obituary->wait_ms;
    return VERDICT_BACKOFF;
}

static enum verdict judge_holder(struct slot *slot, struct obituary *obituary)
{
    struct master *master = slot->master;
    int64_t now_ms = obituary->death.when_ms;
    bool booted = slot->ready_ms != 0;
    if (has_heir(slot)) {
        slot->leaving = true;
        return VERDICT_SUCCEEDED;
    }
    if (slot->held)
        return VERDICT_DRAINED;
    if (exited_with((int)obituary->death.wait_status, EX_CONFIG)) {
        slot->held = true;
        sharing_change(master);
        return VERDICT_HELD;
    }
    slot->crashed = !slot->deliberate;
    if (slot_role(slot) != ROLE_WORKER)
        return judge_servant(slot, obituary);
    if (booted && now_ms - slot->ready_ms >= RESPAWN_PROVEN_MS)
        slot->failed_boots = 0;
    if (booted || slot->deliberate)
        return VERDICT_REPLACED;
    respawn_boot_failed(master->respawn);
    obituary->wait_ms = spawn_backoff_ms(slot);
    slot->deadline_ms = now_ms + obituary->wait_ms;
    return VERDICT_BACKOFF;
}

static enum verdict judge_leaver(const struct slot *slot)
{
    if (slot->generation > slot->master->current->number)
        return VERDICT_GIVEN_UP;
    const struct roll roll = roll_make(slot->master->conf, slot->master->workers);
    return roll_has(&roll, slot->number) ? VERDICT_SUCCEEDED : VERDICT_SPARED;
}

/* What happens to the slot next. */
static enum verdict judge(struct slot *slot, struct obituary *obituary)
{
    const struct master *master = slot->master;
    if (master->phase != MASTER_RUNNING)
        return VERDICT_GONE;
    if (slot->leaving)
        return judge_leaver(slot);
    return slot->candidate ? judge_candidate(slot, obituary) : judge_holder(slot, obituary);
}

/* What it still had to say, and whether it was asked to die. */
static void hear_last_words(struct slot *slot)
{
    channel_flush(slot->channel);
    channel_free(slot->channel);
    slot->channel = NULL;
    slot->deliberate |= clock_now_ms() >= slot->doom_ms - DOOM_SLACK_MS;
}

static void record(struct slot *slot, struct obituary *obituary)
{
    struct master *master = slot->master;
    const struct death *death = &obituary->death;
    bool leaves_gap = obituary->verdict == VERDICT_REPLACED || obituary->verdict == VERDICT_BACKOFF;
    obituary->poison = recorder_add(&master->recorder, death);
    if (slot_role(slot) == ROLE_WORKER)
        obituary_cause(death, master->last_death);
    obituary_log(obituary);
    obituary_chronicle(obituary, slot);
    tally_death(slot, death, leaves_gap, clock_now_us());
    stop_count(slot, death);
    if (obituary->poison > 0)
        scoreboard_count(master->scoreboard, SCOREBOARD_POISONED);
}

/* One that has booted leaves its slot empty; from there, too, it may have to wait. */
static void leave_slot(struct slot *slot, bool waits)
{
    bool has_booted = slot->ready_ms != 0;
    if (!waits || has_booted)
        slot_step(slot, SLOT_EXITED);
    if (waits)
        slot_step(slot, SLOT_FAILED);
}

static void bury(struct slot *slot, int wait_status, const struct rusage *usage, int64_t now_ms)
{
    struct obituary obituary = {.wait_ms = 0};
    hear_last_words(slot);
    balance_bury(slot);
    slot->deadline_ms = INT64_MAX;
    obituary_compose(slot, wait_status, usage, now_ms, &obituary.death);
    obituary.death.oom = was_oom(slot->master, slot, wait_status);
    obituary.verdict = judge(slot, &obituary);
    record(slot, &obituary);
    leave_slot(slot, obituary.verdict == VERDICT_BACKOFF);
    if (slot->leaving || slot->candidate)
        slot_release(slot);
}

void reap_children(struct master *master, int64_t now_ms)
{
    int wait_status;
    struct rusage usage;
    pid_t pid;
    while ((pid = wait4(-1, &wait_status, WNOHANG, &usage)) > 0) {
        struct slot *slot = table_find_pid(master, pid);
        if (slot != NULL) {
            bury(slot, wait_status, &usage, now_ms);
        } else if (pid == master->upgrade.pid) {
            upgrade_judge(master, wait_status);
        } else {
            master->strangers++;
            log_debug("reaped process %d, which is no worker", (int)pid);
        }
    }
}
