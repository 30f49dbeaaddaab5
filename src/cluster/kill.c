#include "config.h"

#include "cluster/kill.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "ipc/channel.h"
#include "ipc/scoreboard.h"

void kill_by_message(struct slot *slot, const struct message *message, int64_t deadline_ms)
{
    int err = slot->channel != NULL ? channel_send(slot->channel, message) : -EPIPE;
    if (err != 0 && err != -EPIPE)
        log_warning("worker %" PRIu64 " does not read its channel (%s), it has until its deadline",
                    slot->worker, strerror(-err));
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
