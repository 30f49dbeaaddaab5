#include "config.h"

#include "cluster/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/balance.h"
#include "cluster/child.h"
#include "cluster/chronicle.h"
#include "cluster/control_link.h"
#include "cluster/generation.h"
#include "cluster/launch.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/reopen.h"
#include "cluster/respawn.h"
#include "cluster/sharing.h"
#include "cluster/strength.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "host/notify.h"
#include "host/pidfile.h"
#include "ipc/scoreboard.h"

_Static_assert(MASTER_OUTCOME_SIZE >= CONF_ERROR_SIZE && MASTER_OUTCOME_SIZE >= PIDFILE_ERROR_SIZE,
               "what others say of a failure fits");

bool reload_is_active(const struct master *master)
{
    return master->reload.next != NULL;
}

bool reload_moves_log(const struct master *master)
{
    return reload_is_active(master) &&
           strcmp(master->reload.next->conf->log.target, master->conf->log.target) != 0;
}

/* Hold the new pid file, if it is another one. */
static int open_pidfile(struct master *master, const char *path, char why[MASTER_OUTCOME_SIZE])
{
    const char *old = master->pidfile != NULL ? pidfile_path(master->pidfile) : "";
    bool is_alias = master->pidfile != NULL && pidfile_is(master->pidfile, path);
    master->reload.moves_pidfile = strcmp(old, path) != 0 && !is_alias;
    master->reload.pidfile = NULL;
    if (!master->reload.moves_pidfile || path[0] == '\0')
        return 0;
    return pidfile_open(path, &master->reload.pidfile, why);
}

static void move_pidfile(struct master *master)
{
    if (!master->reload.moves_pidfile)
        return;
    pidfile_close(master->pidfile);
    master->pidfile = master->reload.pidfile;
    master->reload.pidfile = NULL;
}

static void drop_pidfile(struct master *master)
{
    pidfile_close(master->reload.pidfile);
    master->reload.pidfile = NULL;
}

static int open_generation(struct master *master, struct conf *conf, char why[MASTER_OUTCOME_SIZE])
{
    int err = generation_new(master->last_generation + 1, conf, master->current->listeners,
                             &master->reload.next, why);
    return err == 0 ? generation_open_access_log(master->reload.next, why) : err;
}

/* Returns 0; or -errno and why the new configuration cannot be used, while the log is the old one.
 */
static int prepare(struct master *master, struct conf *conf, char why[MASTER_OUTCOME_SIZE])
{
    const char *lacks = child_lacks_rights(conf);
    if (lacks != NULL) {
        snprintf(why, MASTER_OUTCOME_SIZE, "%s", lacks);
        return -EPERM;
    }
    int err = open_pidfile(master, conf->instance.pidfile, why);
    if (err != 0)
        return err;
    strength_raise_descriptors(conf);
    err = open_generation(master, conf, why);
    if (err != 0)
        return err;
    const char *crowded = balance_try(master);
    if (crowded != NULL) {
        snprintf(why, MASTER_OUTCOME_SIZE, "%s", crowded);
        return -ENOSPC;
    }
    err = reopen_as(master, &conf->log);
    if (err == 0)
        master->last_generation++;
    else
        snprintf(why, MASTER_OUTCOME_SIZE, "cannot log to %s: %s", conf->log.target,
                 strerror(-err));
    return err;
}

/* A reload that came to nothing makes nobody ready who has never been. */
static void tell_manager(const struct master *master, const char *what, const char *why)
{
    notify_send("%sSTATUS=%s%s", master->ready ? "READY=1\n" : "", what, why);
}

/* What is said of it to those who wait for the end, and to those who look later. */
static void conclude(struct master *master, bool succeeded, const char *text)
{
    struct outcome *outcome = &master->reloaded;
    outcome->number = master->reloads;
    outcome->succeeded = succeeded;
    outcome->wall_ms = clock_wall_ms();
    outcome->generation = master->current->number;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    scoreboard_count(master->scoreboard,
                     succeeded ? SCOREBOARD_RELOADS : SCOREBOARD_RELOADS_FAILED);
    chronicle(master, succeeded ? JOURNAL_RELOADED : JOURNAL_RELOAD_FAILED, NULL, "%s", text);
}

static void refuse(struct master *master, struct conf *conf, const char *why)
{
    struct generation *next = master->reload.next;
    master->reload.next = NULL;
    if (next != NULL)
        balance_settle(master);
    drop_pidfile(master);
    log_error("reload refused: %s, generation %u goes on", why, master->current->number);
    conclude(master, false, why);
    tell_manager(master, "Reload refused: ", why);
    if (next != NULL)
        generation_free(next); /* with conf, which is its own by then */
    else
        conf_free(conf);
}

/* All are about to be replaced anyway. */
static void stop_recycling(struct master *master, int64_t now_ms)
{
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->candidate)
            succession_retire(slot, "a reload begins", false, now_ms);
    }
}

void reload_begin(struct master *master, int64_t now_ms)
{
    struct reload *reload = &master->reload;
    char why[MASTER_OUTCOME_SIZE];
    struct conf *conf = NULL;
    master->reloads++;
    if (master->ready)
        notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, notify_monotonic_us());
    int err = launch_load(master->launch, &conf, why);
    if (err == 0)
        err = prepare(master, conf, why);
    if (err != 0) {
        refuse(master, conf, why);
        return;
    }
    stop_recycling(master, now_ms);
    if (conf->instance.daemon != master->conf->instance.daemon)
        log_warning("instance.daemon has changed, which counts from the next start on");
    strength_announce_sandbox(&conf->instance);
    strength_announce_registry(&conf->registry);
    reload->workers = strength_decide(&conf->instance);
    listeners_grow(reload->next->listeners[PURPOSE_CLIENTS], reload->workers, master->last_worker);
    reload->began_ms = now_ms;
    reload->deadline_ms = now_ms + conf->instance.boot_timeout_ms;
    reload->failed = false;
    log_info("reloading: generation %u boots with %u worker%s", reload->next->number,
             reload->workers, reload->workers == 1 ? "" : "s");
    chronicle(master, JOURNAL_RELOAD, NULL, "generation %u boots with %u worker%s",
              reload->next->number, reload->workers, reload->workers == 1 ? "" : "s");
}

static void change_policy(struct master *master)
{
    struct respawn *respawn;
    if (strength_make_policy(master->conf, &respawn) != 0)
        return; /* without memory the old limits stay */
    respawn_free(master->respawn);
    master->respawn = respawn;
}

static void apply_listeners(const struct generation *generation)
{
    for (int purpose = 0; purpose < PURPOSES; purpose++) {
        struct purpose_listens wanted;
        purpose_find(generation->conf, (enum purpose)purpose, &wanted);
        listeners_apply(generation->listeners[purpose], &wanted);
    }
}

/* The new generation takes over; what the old one alone listened on is emptied by its workers. */
static void promote(struct master *master, int64_t now_ms)
{
    struct generation *old = master->current, *new = master->reload.next;
    char text[MASTER_OUTCOME_SIZE];
    bool drops = listeners_have_unshared(old->listeners[PURPOSE_CLIENTS]);
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->candidate)
            succession_take_over(slot);
        else if (slot->number != 0 && !slot->leaving)
            succession_retire(slot, "a newer generation serves", drops, now_ms);
    }
    master->current = new;
    master->conf = new->conf;
    master->workers = master->reload.workers;
    master->reload.next = NULL;
    apply_listeners(new);
    balance_settle(master);
    master->ordered_level = -1;
    log_set_level((enum log_level) new->conf->log.level);
    change_policy(master);
    move_pidfile(master);
    snprintf(text, sizeof text, "generation %u serves after %" PRId64 " ms, generation %u finishes",
             new->number, now_ms - master->reload.began_ms, old->number);
    log_info("reloaded: %s", text);
    conclude(master, true, text);
    control_link_listen(master);
    master->ready = true;
    notify_send("READY=1\nMAINPID=%d\nSTATUS=Generation %u serves", (int)master->pid, new->number);
    generation_free(old);
}

/* Give up the generation that boots. */
static void abandon(struct master *master, const char *why, int64_t now_ms)
{
    char text[MASTER_OUTCOME_SIZE];
    struct generation *next = master->reload.next;
    bool take_queue = listeners_have_unshared(next->listeners[PURPOSE_CLIENTS]);
    if (reopen_as(master, &master->conf->log) != 0)
        log_error("cannot log to %s any more", master->conf->log.target);
    snprintf(text, sizeof text, "%s (the last death: %s), generation %u goes on", why,
             master->last_death[0] != '\0' ? master->last_death : "none", master->current->number);
    log_error("reload failed: %s", text);
    conclude(master, false, text);
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].candidate)
            succession_retire(&master->slots[i], "its generation is given up", take_queue, now_ms);
    master->reload.next = NULL;
    balance_settle(master);
    generation_free(next);
    drop_pidfile(master);
    sharing_change(master);
    tell_manager(master, "Reload failed: ", why);
}

/* How many of the new generation serve, and how many are there at all. */
static unsigned count_ready(const struct master *master, unsigned *ret_present)
{
    unsigned ready = 0, present = 0;
    for (size_t i = 0; i < master->n_slots; i++) {
        const struct slot *slot = &master->slots[i];
        present += slot->candidate && slot_is_alive(slot->state);
        ready += slot->candidate && slot->state == SLOT_SERVING;
    }
    *ret_present = present;
    return ready;
}

static struct roll next_roll(const struct master *master)
{
    return roll_make(master->reload.next->conf, master->reload.workers);
}

static void fork_missing(struct master *master, int64_t now_ms)
{
    const struct roll roll = next_roll(master);
    for (unsigned number = 0; (number = roll_next(&roll, number)) != 0;)
        succession_prepare(master, number, now_ms);
}

unsigned reload_count_ready(const struct master *master, unsigned *ret_wanted)
{
    const struct roll roll = next_roll(master);
    unsigned present;
    *ret_wanted = roll_count(&roll);
    return count_ready(master, &present);
}

unsigned reload_number(const struct master *master)
{
    return master->reload.next->number;
}

void reload_step(struct master *master, int64_t now_ms)
{
    const struct reload *reload = &master->reload;
    unsigned present;
    if (reload->next == NULL)
        return;
    const struct roll roll = next_roll(master);
    unsigned wanted = roll_count(&roll), ready = count_ready(master, &present);
    if (reload->failed)
        abandon(master, "a worker of the new generation did not become ready", now_ms);
    else if (ready == wanted)
        promote(master, now_ms);
    else if (now_ms >= reload->deadline_ms)
        abandon(master, "the new generation was not ready in time", now_ms);
    else if (present < wanted && !balance_is_behind(master))
        fork_missing(master, now_ms);
}
