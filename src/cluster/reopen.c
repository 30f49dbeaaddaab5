#include "config.h"

#include "cluster/reopen.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "ipc/channel.h"

static void hand_over(struct slot *slot, enum message_type type, int fd)
{
    const struct message message = {.type = type, .log.fd = fd};
    const struct log_field who = LOG_NUMBER("worker", slot->worker);
    int err = slot->channel != NULL ? channel_send(slot->channel, &message) : 0;
    if (err != 0)
        log_write(LOG_LEVEL_WARNING, &who, 1, "%s %" PRIu64 " keeps its old %s: %s",
                  role_name(slot_role(slot)), slot->worker,
                  type == MESSAGE_LOG ? "log" : "access log", strerror(-err));
}

/* While a reload is under way the log is the next generation's already. */
static const struct conf_log *settings_of(const struct master *master)
{
    const struct generation *next = master->reload.next;
    return next != NULL ? &next->conf->log : &master->conf->log;
}

int reopen_as(const struct master *master, const struct conf_log *conf)
{
    int err = conf_open_log(conf);
    if (err == 0 && master->ordered_level >= 0)
        log_set_level((enum log_level)master->ordered_level);
    return err;
}

static void reopen_log(struct master *master)
{
    const struct conf_log *conf = settings_of(master);
    int err = reopen_as(master, conf);
    if (err != 0) {
        log_error("cannot open %s again: %s, logging on into the old file", conf->target,
                  strerror(-err));
        return;
    }
    if (log_fd() <= STDERR_FILENO) {
        log_info("the log goes to %s, there is nothing to open again", conf->target);
        return;
    }
    log_info("opened the log again");
    for (size_t i = 0; i < master->n_slots; i++)
        if (slot_is_alive(master->slots[i].state))
            hand_over(&master->slots[i], MESSAGE_LOG, log_fd());
}

/* Workers of older generations finish with the file that they have. */
static void reopen_access_log(struct master *master, struct generation *generation)
{
    char error[GENERATION_ERROR_SIZE];
    if (generation->access_log_fd < 0)
        return;
    if (generation_open_access_log(generation, error) != 0) {
        log_error("%s, the access log goes on into the old file", error);
        return;
    }
    log_info("opened the access log again");
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (slot_is_alive(slot->state) && slot->generation == generation->number)
            hand_over(slot, MESSAGE_ACCESS_LOG, generation->access_log_fd);
    }
}

void reopen_logs(struct master *master)
{
    reopen_log(master);
    reopen_access_log(master, master->current);
    if (master->reload.next != NULL)
        reopen_access_log(master, master->reload.next);
}
