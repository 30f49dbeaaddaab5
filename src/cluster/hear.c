#include "config.h"

#include "cluster/hear.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/master_state.h"
#include "cluster/respawn.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "ipc/channel.h"

/*
 * A worker whose channel has ended is about to be reaped; one that is not gets this
 * long. One that was told to leave closes its channel before it ends: it keeps its
 * grace, and has no more than that where there was no deadline.
 */
#define LOST_MS 1000

/* A worker has little to say; chaos may be asked for many times. */
#define HEARD_MAX 10000

/* Callbacks record: the next turn of the loop sends the signal. */
static void condemn(struct slot *slot, const char *reason)
{
    slot->killed_for = reason;
    slot->deadline_ms = clock_now_ms();
}

static void on_hello(struct slot *slot, const struct message *message)
{
    if (message->hello.worker != slot->worker || message->hello.slot != slot->number ||
        message->hello.pid != (uint32_t)slot->pid)
        condemn(slot, "its HELLO names another worker");
}

static void on_master_id(struct slot *slot, const struct message *message)
{
    struct message answer = {.type = MESSAGE_MASTER_ID_IS};
    answer.master_id_is.request = message->master_id.request;
    memcpy(answer.master_id_is.uuid, slot->master->uuid, sizeof answer.master_id_is.uuid);
    if (slot->asked)
        condemn(slot, "it asks MASTER_ID again and again");
    else if (channel_send(slot->channel, &answer) == -EAGAIN)
        condemn(slot, "it does not read its channel");
    slot->asked = true;
}

static void on_ready(struct slot *slot, const struct message *message)
{
    int64_t now_ms = clock_now_ms();
    if (slot->state != SLOT_STARTING)
        return; /* told to leave while it booted, or it repeats itself */
    const struct log_field fields[] = {LOG_NUMBER("worker", slot->worker),
                                       slot_field(slot),
                                       LOG_NUMBER("pid", slot->pid),
                                       LOG_NUMBER("boot_ms", now_ms - slot->started_ms),
                                       LOG_NUMBER("listeners", message->ready.listeners),
                                       LOG_NUMBER("generation", slot->generation)};
    if (!slot->asked) {
        condemn(slot, "it is READY without having asked MASTER_ID");
        return;
    }
    slot->ready_ms = now_ms;
    slot->deadline_ms = INT64_MAX;
    slot_step(slot, SLOT_READY);
    tally_ready(slot, clock_now_us());
    if (slot_role(slot) == ROLE_WORKER)
        respawn_boot_succeeded(slot->master->respawn);
    chronicle(slot->master, JOURNAL_READY, slot, "after %" PRId64 " ms", now_ms - slot->started_ms);
    log_write(LOG_LEVEL_INFO, fields, sizeof fields / sizeof fields[0], "%s %" PRIu64 " is ready",
              role_name(slot_role(slot)), slot->worker);
}

/* It stopped accepting on its own: its successor need not wait until it has finished. */
static void on_leaving(struct slot *slot, const struct message *message)
{
    static const char *const reasons[LEAVING_REASONS] = {[LEAVING_BY_SIGNAL] = "it got a signal",
                                                         [LEAVING_BY_CHAOS] = "chaos asked for it",
                                                         [LEAVING_CUT_OFF] =
                                                             "its control connection has ended"};
    if (slot->state != SLOT_STARTING && slot->state != SLOT_SERVING)
        return;
    const char *reason = reasons[message->leaving.reason];
    const struct log_field who = LOG_NUMBER("worker", slot->worker);
    log_write(LOG_LEVEL_INFO, &who, 1, "%s %" PRIu64 " leaves: %s", role_name(slot_role(slot)),
              slot->worker, reason);
    chronicle(slot->master, JOURNAL_LEAVING, slot, "%s", reason);
    slot->leaving = !slot->candidate;
    slot->deliberate = true;
    slot->deadline_ms = clock_now_ms() + slot->master->conf->instance.grace_ms;
    slot_step(slot, SLOT_DRAIN);
}

static void on_chaos(struct slot *slot, const struct message *message)
{
    if (!slot->chaos) {
        condemn(slot, "it reports chaos, which is switched off");
        return;
    }
    const char *mode = chaos_mode_name((enum chaos_mode)message->chaos.mode);
    const struct log_field fields[] = {LOG_NUMBER("worker", slot->worker),
                                       LOG_NUMBER("slot", slot->number), LOG_TEXT("mode", mode),
                                       LOG_NUMBER("after_ms", message->chaos.after_ms),
                                       LOG_TEXT("client", message->chaos.client)};
    int64_t doom_ms = clock_now_ms() + message->chaos.after_ms;
    slot->doom_ms = doom_ms < slot->doom_ms ? doom_ms : slot->doom_ms;
    chronicle(slot->master, JOURNAL_CHAOS, slot, "%s, asked by %s", mode, message->chaos.client);
    log_write(LOG_LEVEL_WARNING, fields, sizeof fields / sizeof fields[0],
              "chaos: worker %" PRIu64 " is asked to die", slot->worker);
}

static void on_message(const struct message *message, void *arg)
{
    struct slot *slot = arg;
    if (slot->killed_for != NULL)
        return; /* what it says counts no more */
    if (++slot->heard > HEARD_MAX) {
        condemn(slot, "it talks without end");
        return;
    }
    switch (message->type) {
    case MESSAGE_HELLO:
        on_hello(slot, message);
        break;
    case MESSAGE_MASTER_ID:
        on_master_id(slot, message);
        break;
    case MESSAGE_READY:
        on_ready(slot, message);
        break;
    case MESSAGE_LEAVING:
        on_leaving(slot, message);
        break;
    case MESSAGE_CHAOS:
        on_chaos(slot, message);
        break;
    default:
        break; /* message_decode() lets no other type through */
    }
}

static int64_t lost_deadline_ms(const struct slot *slot)
{
    int64_t grace_ms = slot->master->conf->instance.grace_ms;
    bool keeps_grace = slot->state == SLOT_DRAINING && grace_ms > LOST_MS;
    return clock_now_ms() + (keeps_grace ? grace_ms : LOST_MS);
}

static void on_closed(int error, void *arg)
{
    struct slot *slot = arg;
    int64_t lost_ms = lost_deadline_ms(slot);
    if (error == -EBADMSG)
        condemn(slot, "it sent a malformed frame");
    else if (lost_ms < slot->deadline_ms)
        slot->deadline_ms = lost_ms;
}

int hear_worker(struct slot *slot, int fd)
{
    static const struct channel_callbacks callbacks = {on_message, on_closed};
    int err =
        channel_new(slot->master->base, fd, MESSAGE_FROM_WORKER, &callbacks, slot, &slot->channel);
    if (err != 0)
        close(fd);
    return err;
}
