#include "config.h"

#include "cluster/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "cluster/child.h"
#include "cluster/generation.h"
#include "cluster/launch.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/respawn.h"
#include "cluster/strength.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "host/notify.h"
#include "host/pidfile.h"

bool reload_is_active(const struct master *master)
{
    return master->reload.next != NULL;
}

static int open_log(const struct conf_log *conf)
{
    return log_open((enum log_level)conf->level, (enum log_format)conf->format, conf->target);
}

/* Returns NULL, or why the new configuration cannot be used; the log, still the old one, has more.
 */
static const char *prepare(struct master *master, struct conf *conf)
{
    const char *lacks = child_lacks_rights(conf);
    if (lacks != NULL)
        return lacks;
    strength_raise_descriptors(conf);
    if (generation_new(master->last_generation + 1, conf, master->current->listeners,
                       &master->reload.next) != 0)
        return "a socket cannot be opened";
    int err = open_log(&conf->log);
    if (err == 0) {
        master->last_generation++;
        return NULL;
    }
    log_error("cannot log to %s: %s", conf->log.target, strerror(-err));
    return "the log cannot be opened";
}

static void refuse(struct master *master, struct conf *conf, const char *why)
{
    struct generation *next = master->reload.next;
    master->reload.next = NULL;
    log_error("reload refused: %s, generation %u goes on", why, master->current->number);
    notify_send("READY=1\nSTATUS=Reload refused: %s", why);
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
    char error[CONF_ERROR_SIZE];
    struct conf *conf = NULL;
    notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, notify_monotonic_us());
    const char *why =
        launch_load(master->launch, &conf, error) != 0 ? error : prepare(master, conf);
    if (why != NULL) {
        refuse(master, conf, why);
        return;
    }
    stop_recycling(master, now_ms);
    if (conf->instance.daemon != master->conf->instance.daemon)
        log_warning("instance.daemon has changed, which counts from the next start on");
    strength_announce_sandbox(&conf->instance);
    reload->workers = strength_decide(&conf->instance);
    reload->began_ms = now_ms;
    reload->deadline_ms = now_ms + conf->instance.boot_timeout_ms;
    reload->failed = false;
    log_info("reloading: generation %u boots with %u worker%s", reload->next->number,
             reload->workers, reload->workers == 1 ? "" : "s");
}

static void change_policy(struct master *master)
{
    struct respawn *respawn;
    if (strength_make_policy(master->conf, &respawn) != 0)
        return; /* without memory the old limits stay */
    respawn_free(master->respawn);
    master->respawn = respawn;
}

/* An old file that could not be replaced stays: it is better than none. */
static void change_pidfile(struct master *master)
{
    struct pidfile *pidfile = NULL;
    const char *old = master->pidfile != NULL ? pidfile_path(master->pidfile) : "";
    const char *new = master->conf->instance.pidfile;
    if (strcmp(old, new) == 0 || (new[0] != '\0' && pidfile_open(new, &pidfile) != 0))
        return;
    pidfile_close(master->pidfile);
    master->pidfile = pidfile;
}

/* The new generation takes over; what the old one alone listened on is emptied by its workers. */
static void promote(struct master *master, int64_t now_ms)
{
    struct generation *old = master->current, *new = master->reload.next;
    bool drops = listeners_have_unshared(old->listeners);
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
    listeners_apply(new->listeners, new->conf);
    change_policy(master);
    change_pidfile(master);
    log_info("reloaded: generation %u serves after %" PRId64 " ms, generation %u finishes",
             new->number, now_ms - master->reload.began_ms, old->number);
    notify_send("READY=1\nSTATUS=Generation %u serves", new->number);
    generation_free(old);
}

void reload_abandon(struct master *master, const char *why, int64_t now_ms)
{
    struct generation *next = master->reload.next;
    if (next == NULL)
        return;
    if (open_log(&master->conf->log) != 0)
        log_error("cannot log to %s any more", master->conf->log.target);
    log_error("reload failed: %s, generation %u goes on", why, master->current->number);
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].candidate)
            succession_retire(&master->slots[i], "its generation is given up",
                              listeners_have_unshared(next->listeners), now_ms);
    master->reload.next = NULL;
    generation_free(next);
    strength_raise_descriptors(master->conf);
    notify_send("READY=1\nSTATUS=Reload failed: %s", why);
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

static void fork_missing(struct master *master, int64_t now_ms)
{
    for (unsigned number = 1; number <= master->reload.workers; number++)
        succession_prepare(master, number, now_ms);
}

void reload_step(struct master *master, int64_t now_ms)
{
    const struct reload *reload = &master->reload;
    unsigned present;
    if (reload->next == NULL)
        return;
    unsigned ready = count_ready(master, &present);
    if (reload->failed)
        reload_abandon(master, "a worker of the new generation did not become ready", now_ms);
    else if (ready == reload->workers)
        promote(master, now_ms);
    else if (now_ms >= reload->deadline_ms)
        reload_abandon(master, "the new generation was not ready in time", now_ms);
    else if (present < reload->workers)
        fork_missing(master, now_ms);
}
