#include "config.h"

#include "cluster/reap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/cgroup.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "cluster/obituary.h"
#include "cluster/respawn.h"
#include "cluster/spawn.h"
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
    int64_t kills = cgroup_oom_kills("");
    bool more = kills > master->oom_kills && master->oom_kills >= 0;
    master->oom_kills = kills;
    return more;
}

/* The slot's next state, and what the log says of it. */
static enum verdict judge(struct slot *slot, int wait_status, int64_t now_ms)
{
    struct master *master = slot->master;
    bool booted = slot->ready_ms != 0;
    if (master->phase != MASTER_RUNNING)
        return VERDICT_GONE;
    if (slot->leaving)
        return VERDICT_SUCCEEDED;
    if (exited_with(wait_status, EX_CONFIG)) {
        slot->held = true;
        return VERDICT_HELD;
    }
    slot->crashed = !slot->deliberate;
    if (booted && now_ms - slot->ready_ms >= RESPAWN_PROVEN_MS)
        slot->failed_boots = 0;
    if (booted || slot->deliberate)
        return VERDICT_REPLACED;
    respawn_boot_failed(master->respawn);
    slot->deadline_ms = now_ms + spawn_backoff_ms(slot);
    return VERDICT_BACKOFF;
}

static void bury(struct slot *slot, int wait_status, const struct rusage *usage, int64_t now_ms)
{
    struct master *master = slot->master;
    struct scoreboard_slot *board = slot_board(slot);
    struct scoreboard_exit last = {slot->worker, wait_status, now_ms};
    channel_flush(slot->channel);
    channel_free(slot->channel);
    slot->channel = NULL;
    slot->deadline_ms = INT64_MAX;
    slot->deliberate |= clock_now_ms() >= slot->doom_ms - DOOM_SLACK_MS;
    struct obituary obituary = {.slot = slot, .wait_status = wait_status, .usage = usage};
    obituary.oom = was_oom(master, slot, wait_status);
    obituary.verdict = judge(slot, wait_status, now_ms);
    obituary.wait_ms = obituary.verdict == VERDICT_BACKOFF ? slot->deadline_ms - now_ms : 0;
    scoreboard_read_work(board, &obituary.work);
    obituary_cause(&obituary, master->last_death);
    obituary_log(&obituary, now_ms);
    scoreboard_set_exit(board, &last);
    if (slot->leaving)
        slot->number = 0;
    slot->leaving = false;
    slot_step(slot, obituary.verdict == VERDICT_BACKOFF ? SLOT_FAILED : SLOT_EXITED);
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
        } else {
            master->strangers++;
            log_debug("reaped process %d, which is no worker", (int)pid);
        }
    }
}
