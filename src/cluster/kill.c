#include "config.h"

#include "cluster/kill.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

/* How long a hung worker may take to dump core. */
#define CORE_MS 1000

void kill_by_message(struct slot *slot, const struct message *message, int64_t deadline_ms)
{
    const struct log_field who = LOG_NUMBER("worker", slot->worker);
    int err = slot->channel != NULL ? channel_send_or_keep(slot->channel, message) : -EPIPE;
    if (err != 0 && err != -EPIPE)
        log_write(LOG_LEVEL_WARNING, &who, 1,
                  "%s %" PRIu64 " does not read its channel (%s), it has until its deadline",
                  role_name(slot_role(slot)), slot->worker, strerror(-err));
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
        slot_field(slot),
        LOG_NUMBER("pid", slot->pid),
        LOG_NUMBER("age_ms", now_ms > slot->started_ms ? now_ms - slot->started_ms : 0),
        LOG_NUMBER("connections_cut", work.connections),
    };
    log_write(LOG_LEVEL_WARNING, fields, sizeof fields / sizeof fields[0],
              "killing %s %" PRIu64 ": %s", role_name(slot_role(slot)), slot->worker, reason);
    slot->killed_for = reason;
    kill(slot->pid, SIGKILL);
    slot_step(slot, SLOT_KILL);
}

void kill_hung(struct slot *slot, int64_t silence_ms, int64_t now_ms)
{
    int number = (int)slot->master->conf->instance.hang_signal;
    char name[KILL_SIGNAL_SIZE];
    kill_signal_name(number, name);
    const struct log_field fields[] = {
        LOG_NUMBER("worker", slot->worker),  slot_field(slot),         LOG_NUMBER("pid", slot->pid),
        LOG_NUMBER("silent_ms", silence_ms), LOG_TEXT("signal", name),
    };
    log_write(LOG_LEVEL_ERROR, fields, sizeof fields / sizeof fields[0],
              "%s %" PRIu64 " hangs, replacing it", role_name(slot_role(slot)), slot->worker);
    slot->killed_for = MASTER_HANGS;
    if (!slot->leaving && !slot->candidate)
        tally_vacate(slot, clock_now_us());
    slot->leaving = slot->leaving || !slot->candidate;
    slot->deadline_ms = now_ms + CORE_MS;
    kill(slot->pid, number);
    slot_step(slot, SLOT_KILL);
}

void kill_signal_name(int number, char ret_name[KILL_SIGNAL_SIZE])
{
    const char *name = sigabbrev_np(number);
    if (name != NULL)
        snprintf(ret_name, KILL_SIGNAL_SIZE, "SIG%s", name);
    else
        snprintf(ret_name, KILL_SIGNAL_SIZE, "signal %d", number);
}

int kill_as_ordered(struct slot *slot, int number, bool chaos, int64_t now_ms)
{
    char name[KILL_SIGNAL_SIZE];
    kill_signal_name(number, name);
    const struct log_field fields[] = {LOG_NUMBER("worker", slot->worker), slot_field(slot),
                                       LOG_NUMBER("pid", slot->pid), LOG_TEXT("signal", name)};
    if (kill(slot->pid, number) != 0)
        return -1;
    log_write(chaos ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0],
              "%s%s %" PRIu64 " is sent a signal, as ordered", chaos ? "chaos: " : "",
              role_name(slot_role(slot)), slot->worker);
    chronicle(slot->master, chaos ? JOURNAL_CHAOS : JOURNAL_ORDER, slot, "sent %s", name);
    if (chaos || number == SIGKILL)
        slot->doom_ms = now_ms < slot->doom_ms ? now_ms : slot->doom_ms;
    return 0;
}
