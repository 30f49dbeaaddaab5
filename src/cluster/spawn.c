#include "config.h"

#include "cluster/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/child.h"
#include "cluster/generation.h"
#include "cluster/hear.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/recycling.h"
#include "cluster/respawn.h"
#include "cluster/sharing.h"
#include "cluster/strength.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "worker/worker.h"

static double throw_dice(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        return 0.5;
    return number / (UINT32_MAX + 1.0);
}

int64_t spawn_backoff_ms(struct slot *slot)
{
    const struct respawn_limits limits = strength_respawn_limits(&slot->master->conf->instance);
    slot->failed_boots++;
    return respawn_backoff_ms(&limits, slot->failed_boots, throw_dice());
}

const struct generation *spawn_generation(const struct slot *slot)
{
    const struct master *master = slot->master;
    return slot->candidate && master->reload.next != NULL ? master->reload.next : master->current;
}

/* The child's side: never returns to the loop that it was copied with. */
static _Noreturn void be_worker(const struct slot *slot, int channel_fd)
{
    const struct generation *generation = spawn_generation(slot);
    struct worker_birth birth = {
        .conf = generation->conf,
        .scoreboard = slot_board(slot),
        .worker = slot->worker,
        .slot = slot->number,
        .master = slot->master->pid,
        .channel_fd = channel_fd,
        .access_log_fd = generation->access_log_fd,
    };
    int *fds = NULL;
    log_identify("worker", slot->worker);
    if (listeners_share(generation->listeners, slot->share, &fds, &birth.n_listeners) != 0)
        exit(EX_OSERR);
    birth.listeners = fds;
    int status = child_settle(&birth);
    exit(status == 0 ? worker_run(&birth) : status);
}

/* A successor for one who is to be recycled: the holder serves, so nothing is urgent. */
static void postpone(struct slot *slot, int err, int64_t now_ms)
{
    int64_t wait_ms = recycling_postpone(slot->master, now_ms);
    log_warning("cannot start a successor for slot %u: %s, trying again in %" PRId64 " ms",
                slot->number, strerror(-err), wait_ms);
    if (slot->state == SLOT_STARTING)
        slot_step(slot, SLOT_EXITED);
    slot_release(slot);
}

static void temporise(struct slot *slot, int err, int64_t now_ms)
{
    int64_t wait_ms = spawn_backoff_ms(slot);
    respawn_boot_failed(slot->master->respawn);
    log_warning("cannot start a worker for slot %u: %s, trying again in %" PRId64 " ms",
                slot->number, strerror(-err), wait_ms);
    snprintf(slot->master->last_death, MASTER_CAUSE_SIZE, "not even forked, %s", strerror(-err));
    slot->deadline_ms = now_ms + wait_ms;
    slot_step(slot, SLOT_FAILED);
}

/* Before the fork, because the child writes to the scoreboard as soon as it lives. */
static void prepare_birth(struct slot *slot)
{
    const struct generation *generation = spawn_generation(slot);
    slot->generation = generation->number;
    slot->share = sharing_share(slot);
    slot->chaos = generation->conf->chaos.enabled;
    slot->worker = slot->master->last_worker + 1;
    slot->started_ms = clock_now_ms();
    slot->deadline_ms = slot->started_ms + generation->conf->instance.boot_timeout_ms;
    slot->ready_ms = 0;
    slot->asked = false;
    slot->heard = 0;
    slot->retired = false;
    slot->deliberate = false;
    slot->doom_ms = INT64_MAX;
    slot->crashed = false;
    slot->killed_for = NULL;
    slot->recycled = false;
    slot->pulse = (struct hang_pulse){0};
    slot_step(slot, SLOT_SPAWNED);
}

static void record_birth(struct slot *slot, pid_t pid)
{
    const struct log_field fields[] = {LOG_NUMBER("worker", slot->worker),
                                       LOG_NUMBER("slot", slot->number), LOG_NUMBER("pid", pid),
                                       LOG_NUMBER("generation", slot->generation)};
    slot->master->last_worker = slot->worker;
    slot->pid = pid;
    slot_show(slot);
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0], "worker %" PRIu64 " forked",
              slot->worker);
}

/* Returns the process id, or -errno. */
static pid_t give_birth(struct slot *slot)
{
    int fds[2];
    int err = channel_pair(fds);
    if (err != 0)
        return err;
    err = hear_worker(slot, fds[0]);
    if (err == 0) {
        prepare_birth(slot);
        pid_t pid = fork();
        if (pid == 0)
            be_worker(slot, fds[1]);
        err = pid > 0 ? pid : -errno;
    }
    close(fds[1]);
    return err;
}

void spawn_worker(struct slot *slot, int64_t now_ms)
{
    pid_t pid = give_birth(slot);
    if (pid > 0) {
        record_birth(slot, pid);
        return;
    }
    channel_free(slot->channel);
    slot->channel = NULL;
    if (slot->candidate && slot->master->reload.next == NULL)
        postpone(slot, pid, now_ms);
    else
        temporise(slot, pid, now_ms);
}
