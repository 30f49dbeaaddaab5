#include "config.h"

#include "cluster/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/dice.h"
#include "base/log.h"
#include "cluster/child.h"
#include "cluster/chronicle.h"
#include "cluster/control_link.h"
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
#include "herald/herald.h"
#include "ipc/channel.h"
#include "proxy/balancer.h"
#include "worker/worker.h"

int64_t spawn_backoff_ms(struct slot *slot)
{
    const struct respawn_limits limits = strength_respawn_limits(&slot->master->conf->instance);
    slot->failed_boots++;
    return respawn_backoff_ms(&limits, slot->failed_boots, dice_throw());
}

const struct generation *spawn_generation(const struct slot *slot)
{
    const struct master *master = slot->master;
    return slot->candidate && master->reload.next != NULL ? master->reload.next : master->current;
}

/* Of the two socket pairs the ends that are the child's. */
struct child_ends {
    int channel_fd;
    int control_fd; /* for the admin role; else -1 */
};

static struct life_birth make_life(const struct slot *slot, const struct conf *conf,
                                   const struct child_ends *ends)
{
    return (struct life_birth){
        .id = slot->worker,
        .slot = slot->number,
        .master = slot->master->pid,
        .channel_fd = ends->channel_fd,
        .scoreboard = slot_board(slot),
        .grace_ms = conf->instance.grace_ms,
        .drain_idle_ms = conf->instance.drain_idle_ms,
    };
}

/* Descriptors that a child keeps: its listeners, then two more. */
#define ENDS 2

/* What the child listens on; allocated, for as long as the process lives. */
static int *collect_fds(const struct slot *slot, enum purpose purpose, size_t *ret_n)
{
    const struct listeners *listeners = spawn_generation(slot)->listeners[purpose];
    struct share share = purpose == PURPOSE_CLIENTS ? slot->share : (struct share){slot->number, 1};
    int *fds;
    if (listeners_share(listeners, share, ENDS, &fds, ret_n) != 0)
        exit(EX_OSERR);
    return fds;
}

/* Where the herald keeps its cache, within `room`; NULL: nowhere. */
static const char *cache_folder(const struct slot *slot, char room[PATH_MAX])
{
    const char *path = spawn_generation(slot)->conf->registry.cache_file;
    if (slot_role(slot) != ROLE_HERALD || path[0] == '\0')
        return NULL;
    snprintf(room, PATH_MAX, "%s", path);
    return dirname(room);
}

/* Shed what is the master's, or end. */
static void settle(const struct slot *slot, const int *fds, size_t n)
{
    char folder[PATH_MAX];
    struct child_plan plan = {.instance = &spawn_generation(slot)->conf->instance,
                              .role = slot_role(slot),
                              .number = slot->number,
                              .fds = fds,
                              .n_fds = n,
                              .writable = cache_folder(slot, folder)};
    int status = child_settle(&plan);
    if (status != 0)
        exit(status);
}

static _Noreturn void be_worker(const struct slot *slot, const struct child_ends *ends)
{
    const struct generation *generation = spawn_generation(slot);
    struct worker_birth birth = {.life = make_life(slot, generation->conf, ends),
                                 .conf = generation->conf,
                                 .scoreboard = slot->master->scoreboard,
                                 .balancer = slot->master->balancer,
                                 .place = (unsigned)(slot - slot->master->slots),
                                 .access_log_fd = generation->access_log_fd};
    int *fds = collect_fds(slot, PURPOSE_CLIENTS, &birth.n_listeners);
    fds[birth.n_listeners] = ends->channel_fd;
    fds[birth.n_listeners + 1] = generation->access_log_fd;
    birth.listeners = fds;
    settle(slot, fds, birth.n_listeners + 2);
    exit(worker_run(&birth));
}

static _Noreturn void be_herald(const struct slot *slot, const struct child_ends *ends)
{
    const struct generation *generation = spawn_generation(slot);
    struct address listener;
    char why[TLS_CLIENT_WHY_SIZE];
    struct herald_birth birth = {.life = make_life(slot, generation->conf, ends),
                                 .conf = generation->conf,
                                 .balancer = slot->master->balancer,
                                 .directory = slot->master->directory,
                                 .scoreboard = slot->master->scoreboard};
    if (listeners_find_tcp(generation->listeners[PURPOSE_CLIENTS], &listener))
        birth.listener = &listener;
    if (herald_prepare(generation->conf, &birth.tls, why) != 0)
        birth.tls_refusal = why;
    settle(slot, &ends->channel_fd, 1);
    exit(herald_run(&birth));
}

static _Noreturn void be_admin(const struct slot *slot, const struct child_ends *ends)
{
    const struct generation *generation = spawn_generation(slot);
    struct admin_birth birth = {.life = make_life(slot, generation->conf, ends),
                                .conf = generation->conf,
                                .scoreboard = slot->master->scoreboard,
                                .balancer = slot->master->balancer,
                                .directory = slot->master->directory,
                                .control_fd = ends->control_fd};
    int *fds = collect_fds(slot, PURPOSE_ADMIN, &birth.n_listeners);
    fds[birth.n_listeners] = ends->channel_fd;
    fds[birth.n_listeners + 1] = ends->control_fd;
    birth.listeners = fds;
    settle(slot, fds, birth.n_listeners + 2);
    exit(admin_run(&birth));
}

/* A level that was ordered ends with the generation that it was ordered for. */
static void take_log_level(const struct slot *slot)
{
    const struct generation *generation = spawn_generation(slot);
    if (generation != slot->master->current)
        log_set_level((enum log_level)generation->conf->log.level);
}

/* The child's side: never returns to the loop that it was copied with. */
static _Noreturn void be_child(const struct slot *slot, const struct child_ends *ends)
{
    log_identify(role_name(slot_role(slot)), slot->worker);
    take_log_level(slot);
    balancer_as(slot->master->balancer, (unsigned)(slot - slot->master->slots));
    if (slot_role(slot) == ROLE_ADMIN)
        be_admin(slot, ends);
    if (slot_role(slot) == ROLE_HERALD)
        be_herald(slot, ends);
    be_worker(slot, ends);
}

static void log_birth_failed(const char *who, const struct slot *slot, int err, int64_t wait_ms)
{
    if (slot_role(slot) != ROLE_WORKER)
        log_warning("cannot start the %s child: %s, trying again in %" PRId64 " ms",
                    role_name(slot_role(slot)), strerror(-err), wait_ms);
    else
        log_warning("cannot start %s for slot %u: %s, trying again in %" PRId64 " ms", who,
                    slot->number, strerror(-err), wait_ms);
}

/* A successor for one who is to be recycled: the holder serves, so nothing is urgent. */
static void postpone(struct slot *slot, int err, int64_t now_ms)
{
    int64_t wait_ms = recycling_postpone(slot->master, now_ms);
    log_birth_failed("a successor", slot, err, wait_ms);
    if (slot->state == SLOT_STARTING)
        slot_step(slot, SLOT_EXITED);
    slot_release(slot);
}

static void temporise(struct slot *slot, int err, int64_t now_ms)
{
    int64_t wait_ms = spawn_backoff_ms(slot);
    if (slot_role(slot) == ROLE_WORKER) {
        respawn_boot_failed(slot->master->respawn);
        snprintf(slot->master->last_death, MASTER_CAUSE_SIZE, "not even forked, %s",
                 strerror(-err));
    }
    log_birth_failed("a worker", slot, err, wait_ms);
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
    slot->sample = (struct sample){0};
    slot_step(slot, SLOT_SPAWNED);
}

static void record_birth(struct slot *slot, pid_t pid)
{
    const struct log_field fields[] = {LOG_NUMBER("worker", slot->worker), slot_field(slot),
                                       LOG_NUMBER("pid", pid),
                                       LOG_NUMBER("generation", slot->generation)};
    slot->master->last_worker = slot->worker;
    slot->pid = pid;
    slot_show(slot);
    tally_birth(slot);
    chronicle(slot->master, JOURNAL_BIRTH, slot, "%s",
              slot->candidate   ? "beside the one that it is to succeed"
              : slot->successor ? "in place of one that has died"
                                : "forked");
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0], "%s %" PRIu64 " forked",
              role_name(slot_role(slot)), slot->worker);
}

/* Make both ends of what master and child speak by; the master's are in good hands then. */
static int connect_child(struct slot *slot, struct child_ends *ret_ends)
{
    int fds[2];
    struct child_ends ends = {-1, -1};
    int err = channel_pair(fds);
    if (err != 0)
        return err;
    ends.channel_fd = fds[1];
    err = hear_worker(slot, fds[0]);
    if (err == 0 && slot_role(slot) == ROLE_ADMIN)
        err = control_link_pair(slot->master->control, &ends.control_fd);
    if (err == 0)
        *ret_ends = ends;
    else
        close(ends.channel_fd);
    return err;
}

/* Returns the process id, or -errno. */
static pid_t give_birth(struct slot *slot)
{
    struct child_ends ends;
    int err = connect_child(slot, &ends);
    if (err != 0)
        return err;
    prepare_birth(slot);
    pid_t pid = fork();
    if (pid == 0)
        be_child(slot, &ends);
    err = pid > 0 ? pid : -errno;
    close(ends.channel_fd);
    if (ends.control_fd >= 0)
        close(ends.control_fd);
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
