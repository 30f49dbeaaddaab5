#include "config.h"

#include "cluster/kill.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* How long a hung worker may take to dump core. */
#define CORE_MS 1000

void kill_by_message(struct slot *slot, const struct message *message, int64_t deadline_ms)
{
    int err = slot->channel != NULL ? channel_send(slot->channel, message) : -EPIPE;
    if (err != 0 && err != -EPIPE)
        log_warning("worker %" PRIu64 " does not read its channel (%s), it has until its deadline",
                    slot->worker, strerror(-err));
    bool is_lost = err == -EPIPE || slot->killed_for != NULL; /* its deadline is set already */
    if (!is_lost || deadline_ms < slot->deadline_ms)
        slot->deadline_ms = deadline_ms;
    slot_step(slot, SLOT_DRAIN);
}

void kill_worker(struct slot *slot, const char *reason, int64_t now_ms)
{
    struct scoreboard_work work;
    scoreboard_read_work(slot_board(slot), &work);
    const struct log_field fields[] = {
        LOG_NUMBER("worker", slot->worker),
        LOG_NUMBER("slot", slot->number),
        LOG_NUMBER("pid", slot->pid),
        LOG_NUMBER("age_ms", now_ms - slot->started_ms),
        LOG_NUMBER("connections_cut", work.connections),
    };
    log_write(LOG_LEVEL_WARNING, fields, sizeof fields / sizeof fields[0],
              "killing worker %" PRIu64 ": %s", slot->worker, reason);
    slot->killed_for = reason;
    kill(slot->pid, SIGKILL);
    slot_step(slot, SLOT_KILL);
}

void kill_hung(struct slot *slot, int64_t silence_ms, int64_t now_ms)
{
    int number = (int)slot->master->conf->instance.hang_signal;
    const char *name = sigabbrev_np(number);
    const struct log_field fields[] = {
        LOG_NUMBER("worker", slot->worker),
        LOG_NUMBER("slot", slot->number),
        LOG_NUMBER("pid", slot->pid),
        LOG_NUMBER("silent_ms", silence_ms),
        LOG_TEXT("signal", name != NULL ? name : "?"),
    };
    log_write(LOG_LEVEL_ERROR, fields, sizeof fields / sizeof fields[0],
              "worker %" PRIu64 " hangs, replacing it", slot->worker);
    slot->killed_for = "it hangs";
    slot->leaving = slot->leaving || !slot->candidate;
    slot->deadline_ms = now_ms + CORE_MS;
    kill(slot->pid, number);
    slot_step(slot, SLOT_KILL);
}
